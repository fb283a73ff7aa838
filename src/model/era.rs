//! A constant for each era of `checks/knowledge/eras.yaml`, written by `build.rs`.

use crate::model::release::{Era, Version};

include!(concat!(env!("OUT_DIR"), "/eras.rs"));

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::catalog::built_in;

    #[test]
    fn a_constant_says_what_the_knowledge_says() {
        let knowledge = built_in().knowledge;
        assert_eq!(ALL.len(), knowledge.eras.len());
        for (era, rule) in ALL.iter().zip(&knowledge.eras) {
            assert_eq!(era.name, rule.name);
            assert!(rule.releases.has_ranges(era.ranges), "{}: {:?}", era.name, era.ranges);
        }
    }
}

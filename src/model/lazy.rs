//! A value that is made when it is first used.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

/// A value that is there, or that is made by its name when it is first used.
///
/// A run needs a few of the two hundred checks and of the tables of the knowledge; the others stay as they are
/// embedded.
pub struct Lazy<T> {
    value: OnceLock<T>,
    name: &'static str,
    load: fn(&'static str) -> T,
}

impl<T> Lazy<T> {
    /// Made by `load` out of `name`. `load` has to give the same each time.
    pub const fn by_need(name: &'static str, load: fn(&'static str) -> T) -> Self {
        Self { value: OnceLock::new(), name, load }
    }
}

impl<T> From<T> for Lazy<T> {
    fn from(value: T) -> Self {
        // A value that is there is not made.
        Self { value: OnceLock::from(value), name: "", load: |_| unreachable!("the value is there") }
    }
}

impl<T> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.get_or_init(|| (self.load)(self.name))
    }
}

impl<T: Clone> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), name: self.name, load: self.load }
    }
}

impl<T: PartialEq> PartialEq for Lazy<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

// `iter` is that of the value, through `Deref`.
#[allow(clippy::into_iter_without_iter)]
impl<'l, T> IntoIterator for &'l Lazy<T>
where
    &'l T: IntoIterator,
{
    type Item = <&'l T as IntoIterator>::Item;
    type IntoIter = <&'l T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (**self).into_iter()
    }
}

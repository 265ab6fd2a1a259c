//! Categories as numbers: one-hot, ordinal, hashed, crossed.
//!
//! ```text
//! categories  DE FR US        one-hot of FR: [0, 1, 0]    ordinal of FR: 1      of a null: all 0, none
//! hashed      tag of the bytes × buckets / 2⁶⁴: no list to keep; some categories share a bucket
//! ```
//!
//! The hash is the frozen one of the key groups: a model that was trained on it finds the same buckets for ever.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::{Key, tag_bytes};

use crate::transform::Transform;

/// The categories that were there, ascending.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Categories {
    categories: Vec<String>,
}

/// A category that was not there when the categories were fitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "category {category:?} is not among the {known} that were fitted: fit again, or take it for unknown"
)]
pub struct UnknownCategory {
    /// The category.
    pub category: String,
    /// How many are known.
    pub known: usize,
}

impl Categories {
    /// These categories, in ascending order and each once.
    #[must_use]
    pub fn new(categories: impl IntoIterator<Item = String>) -> Self {
        let sorted: BTreeSet<String> = categories.into_iter().collect();
        Self {
            categories: sorted.into_iter().collect(),
        }
    }

    /// The categories, ascending.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.categories
    }

    /// The place of a category, from 0; `None` for a null or an unknown one.
    #[must_use]
    pub fn ordinal(&self, category: Option<&str>) -> Option<usize> {
        let category = category?;
        let place = |known: &String| known.as_str().cmp(category);
        self.categories.binary_search_by(place).ok()
    }

    /// 1 at the category's place, 0 elsewhere; all 0 for a null or an unknown one (`handle_unknown="ignore"`).
    #[must_use]
    pub fn one_hot(&self, category: Option<&str>) -> Vec<f64> {
        let mut places = vec![0.0; self.categories.len()];
        if let Some(place) = self.ordinal(category) {
            places[place] = 1.0;
        }
        places
    }

    /// The place of a category that must be known (`handle_unknown="error"`); `None` for a null.
    ///
    /// # Errors
    /// [`UnknownCategory`].
    pub fn known(&self, category: Option<&str>) -> Result<Option<usize>, UnknownCategory> {
        match (category, self.ordinal(category)) {
            (Some(category), None) => Err(UnknownCategory {
                category: category.to_owned(),
                known: self.categories.len(),
            }),
            (_, place) => Ok(place),
        }
    }
}

impl Transform for Categories {
    const KIND: &'static str = "categories";

    fn check(&self) -> Result<(), String> {
        match self.categories.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(format!("{:?} does not come after {:?}", pair[1], pair[0])),
            None => Ok(()),
        }
    }
}

/// The bucket of a category, from 0 to `buckets` − 1; `None` for a null, or no buckets. Frozen.
#[must_use]
pub fn hashed(category: Option<&str>, buckets: u32) -> Option<u32> {
    bucket(tag_bytes(category?.as_bytes()), buckets)
}

/// The bucket of two categories together; `None` where either is null. Frozen, and another for (a, b) than for (b, a).
#[must_use]
pub fn crossed(a: Option<&str>, b: Option<&str>, buckets: u32) -> Option<u32> {
    bucket((a?.to_owned(), b?.to_owned()).tag(), buckets)
}

/// Two categories as one, such as `DE×web`; `None` where either is null. A `×` or `\` in a category is marked by a `\`
/// before it, so that two pairs are one only if they are the same.
#[must_use]
pub fn cross(a: Option<&str>, b: Option<&str>) -> Option<String> {
    let marked = |text: &str| text.replace('\\', "\\\\").replace('×', "\\×");
    Some(format!("{}×{}", marked(a?), marked(b?)))
}

/// A tag's share of 2⁶⁴ in buckets: as even as the tag, without the bias of a remainder.
fn bucket(tag: u64, buckets: u32) -> Option<u32> {
    let place = (u128::from(tag) * u128::from(buckets)) >> 64;
    u32::try_from(place).ok().filter(|_| buckets > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn countries() -> Categories {
        Categories::new(["US", "DE", "FR", "DE"].map(str::to_owned))
    }

    /// OneHotEncoder(handle_unknown="ignore") of scikit-learn 1.9 over the same column.
    #[test]
    fn one_hot_has_a_place_for_each_category_and_none_for_others() {
        assert_eq!(countries().one_hot(Some("FR")), [0.0, 1.0, 0.0]);
        assert_eq!(countries().one_hot(Some("JP")), [0.0; 3]);
        assert_eq!(countries().one_hot(None), [0.0; 3]);
    }

    #[test]
    fn ordinals_ascend_and_unknown_ones_are_named() {
        let places = ["DE", "FR", "US"].map(|name| countries().ordinal(Some(name)));
        assert_eq!(places, [Some(0), Some(1), Some(2)]);
        let error = countries().known(Some("JP")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "category \"JP\" is not among the 3 that were fitted: fit again, or take it for unknown"
        );
        assert_eq!(countries().known(None), Ok(None));
    }

    /// These buckets are trained into models: they may never change.
    #[test]
    fn buckets_are_frozen() {
        assert_eq!(hashed(Some("thalweg"), 1_000), Some(305));
        assert_eq!(hashed(None, 1_000), None);
        assert_eq!(hashed(Some("thalweg"), 0), None);
        assert_ne!(
            crossed(Some("a"), Some("b"), 1 << 30),
            crossed(Some("b"), Some("a"), 1 << 30)
        );
    }

    #[test]
    fn buckets_are_filled_evenly() {
        let mut filled = [0_u32; 16];
        for n in 0..16_000 {
            filled[hashed(Some(&n.to_string()), 16).unwrap() as usize] += 1;
        }
        assert!(
            filled.iter().all(|count| (850..1_150).contains(count)),
            "{filled:?}"
        );
    }

    #[test]
    fn crosses_are_one_only_if_their_parts_are() {
        assert_eq!(cross(Some("DE"), Some("web")).as_deref(), Some("DE×web"));
        assert_ne!(cross(Some("a×b"), Some("c")), cross(Some("a"), Some("b×c")));
        assert_ne!(
            cross(Some("a\\"), Some("×b")),
            cross(Some("a\\×"), Some("b"))
        );
        assert_eq!(cross(None, Some("web")), None);
    }
}

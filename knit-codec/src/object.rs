//! Objects: a shape and a value for each of its keys.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{CodecError, Result};
use crate::shape::Shape;
use crate::string::JsString;
use crate::value::Value;

/// A plain object: own enumerable properties with string keys, in order.
///
/// The keys are a [`Shape`] that objects share. Build an object in one go, with `collect` or [`Object::with_shape`];
/// [`Object::insert`] of a new key copies the shape.
#[derive(Clone, PartialEq)]
pub struct Object {
    shape: Arc<Shape>,
    values: Box<[Value]>,
    /// Whether it was made by `Object.create(null)`.
    pub null_prototype: bool,
}

impl Object {
    /// An object without properties.
    pub fn new() -> Self {
        Self {
            shape: Arc::new(Shape::of_distinct(Box::new([]))),
            values: Box::new([]),
            null_prototype: false,
        }
    }

    /// An object of a shape that already exists. Fails with `Misuse` if the number of values is not the number of keys.
    pub fn with_shape(shape: Arc<Shape>, values: impl Into<Box<[Value]>>) -> Result<Self> {
        let values = values.into();
        if values.len() != shape.len() {
            return Err(CodecError::Misuse(
                "an object has one value for each key of its shape",
            ));
        }
        Ok(Self {
            shape,
            values,
            null_prototype: false,
        })
    }

    /// An object of parts that the caller knows to fit.
    pub(crate) fn of_parts(shape: Arc<Shape>, values: Vec<Value>, null_prototype: bool) -> Self {
        debug_assert_eq!(shape.len(), values.len());
        Self {
            shape,
            values: values.into(),
            null_prototype,
        }
    }

    /// The same object with `Object.create(null)` as its maker.
    #[must_use]
    pub fn with_null_prototype(mut self) -> Self {
        self.null_prototype = true;
        self
    }

    /// The keys.
    pub fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// The values, in the order of the keys.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The values, in the order of the keys.
    pub fn values_mut(&mut self) -> &mut [Value] {
        &mut self.values
    }

    /// How many properties.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.shape.position(key).map(|at| &self.values[at])
    }

    /// Sets a property and gives back its old value.
    pub fn insert(&mut self, key: impl Into<JsString>, value: impl Into<Value>) -> Option<Value> {
        let key = key.into();
        if let Some(at) = self
            .shape
            .keys()
            .iter()
            .position(|candidate| *candidate == key)
        {
            return Some(std::mem::replace(&mut self.values[at], value.into()));
        }
        let keys = self.shape.keys().iter().cloned().chain([key]).collect();
        self.shape = Arc::new(Shape::of_distinct(keys));
        let mut values = std::mem::take(&mut self.values).into_vec();
        values.push(value.into());
        self.values = values.into();
        None
    }

    /// The properties, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&JsString, &Value)> {
        self.shape.keys().iter().zip(&self.values)
    }
}

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Into<JsString>, V: Into<Value>> FromIterator<(K, V)> for Object {
    /// As an object literal in JavaScript: a key that comes again keeps its place and takes the later value.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(properties: I) -> Self {
        let mut places = HashMap::<JsString, usize>::new();
        let mut values = Vec::new();
        for (key, value) in properties {
            let place = *places.entry(key.into()).or_insert(values.len());
            if place == values.len() {
                values.push(value.into());
            } else {
                values[place] = value.into();
            }
        }
        let mut keys = vec![JsString::from(""); places.len()];
        for (key, place) in places {
            keys[place] = key;
        }
        Self {
            shape: Arc::new(Shape::of_distinct(keys.into())),
            values: values.into(),
            null_prototype: false,
        }
    }
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.null_prototype {
            f.write_str("null-prototype ")?;
        }
        f.debug_map().entries(self.iter()).finish()
    }
}

//! What a user of the SDK writes: controllers.

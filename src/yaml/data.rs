use serde::de::DeserializeOwned;

/// Reads data of our own that is compiled in: the chart catalogue. Nobody asks where in it something stands, so the
/// common crate serves.
///
/// # Errors
/// What does not fit `T`, and where.
pub fn read_data<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}

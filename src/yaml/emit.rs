/// A number as Go's `strconv.FormatFloat(number, 'g', -1, 64)` prints it.
pub(super) fn short_float(number: f64) -> String {
    float(number, -4..6, 2)
}

/// A number as Go's `encoding/json` prints it: plain from 1e-6 up to 1e21, as in JavaScript.
pub(super) fn json_float(number: f64) -> String {
    float(number, -6..21, 1)
}

/// The shortest digits that read back as `number`: plain while the decimal exponent is in `plain`, else scientific
/// with at least `width` digits for a negative exponent (two for a positive one).
fn float(number: f64, plain: std::ops::Range<i32>, width: usize) -> String {
    let scientific = format!("{number:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if plain.contains(&exponent) {
        format!("{number}")
    } else if exponent < 0 {
        format!("{mantissa}e-{:0width$}", -exponent)
    } else {
        format!("{mantissa}e+{exponent:02}")
    }
}

//! A rule on an air quality index needs the index to be computed.

use citybrain::city::City;
use citybrain::settings::load;

const RULES: &str = "
group: air
department: environment
rules:
  - {id: dirty, kind: aqi, standard: hj633_2026, severity: high, category: heavily_polluted}
";

fn warnings(derived: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).expect("made");
    std::fs::write(rules.join("air.yaml"), RULES).expect("written");
    let file = folder.path().join("citybrain.toml");
    let city = format!(
        "[city]\nname = \"Test\"\ntime_zone = \"Asia/Shanghai\"\nrules = \"rules\"\n[http]\nlisten = \"127.0.0.1:0\"\n{derived}"
    );
    std::fs::write(&file, city).expect("written");
    City::read(load(&file).expect("good settings")).expect("a good city").warnings
}

#[test]
fn a_rule_on_an_index_that_nobody_computes_is_told() {
    let other = "[[derived.aqi]]\nstandard = \"us_epa_2024\"\nkinds = [\"air_station\"]\n";
    for derived in ["", other] {
        let told = warnings(derived);
        let mine = told.iter().any(|told| {
            told.contains("rule `dirty`: the index HJ 633-2026 is not computed")
                && told.contains("standard = \"hj633_2026\"")
        });
        assert!(mine, "{told:?}");
    }
    let told = warnings(&other.replace("us_epa_2024", "hj633_2026"));
    assert!(told.iter().all(|told| !told.contains("dirty")), "{told:?}");
}

//! What values and statistics are called, their units, and what stands beside them.

use super::*;

#[test]
fn statistics_are_metrics_of_their_own_unless_they_are_the_plain_value() {
    let segment = "ST=22;CN=2061;PW=1;MN=M;Flag=4;CP=&&DataTime=20261123160000;\
        a34004-Min=1,a34004-Avg=2,a34004-Max=3&&";
    assert_eq!(
        of(&json!({}), segment),
        ["pm25_min_hour 1 ug/m3", "pm25_avg_hour 2 ug/m3", "pm25_max_hour 3 ug/m3"]
    );
    assert_eq!(of(&json!({"plain": "hour"}), segment)[1], "pm25 2 ug/m3");
    assert_eq!(of(&json!({"plain": "minute"}), segment)[1], "pm25_avg_hour 2 ug/m3");
    let options = json!({"metrics": {"a34004-Avg": "dust", "pm25_min_hour": {"ignore": true}},
        "units": {"a34004": "mg/m3"}});
    assert_eq!(of(&options, segment), ["dust 2 mg/m3", "pm25_max_hour 3 mg/m3"]);
    let water = "ST=32;CN=2061;MN=M;Flag=4;CP=&&DataTime=20261123160000;\
        w00000-Cou=5,w00000-Avg=6;w01018-Cou=7,w01018-Avg=8&&";
    assert_eq!(
        of(&json!({}), water),
        [
            "water_flow_sum_hour 5 m3",
            "water_flow_avg_hour 6 L/s",
            "water_cod_sum_hour 7 kg",
            "water_cod_avg_hour 8 mg/L"
        ]
    );
    let stack = "ST=31;CN=2031;MN=M;Flag=4;CP=&&DataTime=20261123000000;\
        a21026-Cou=5,a21026-RawAvg=6;a99999-Cou=7&&";
    assert_eq!(
        of(&json!({}), stack),
        ["stack_so2_sum_day 5 kg", "stack_so2_raw_avg_day 6 mg/m3", "a99999_sum_day 7 -"]
    );
}

#[test]
fn noise_has_one_value_for_each_period_and_two_for_day_and_night() {
    let segment = |cn: &str, data: &str| {
        format!("ST=23;CN={cn};MN=M;Flag=8;CP=&&DataTime=20261123160000;{data}&&")
    };
    let minute = segment("2051", "Leq-Data=55.1;L95-Data=41;Ldn-Data=57");
    assert_eq!(
        of(&json!({}), &minute),
        [
            "noise_laeq_avg_minute 55.1 dB",
            "noise_l95_avg_minute 41 dB",
            "noise_ldn_avg_minute 57 dB"
        ]
    );
    assert_eq!(of(&json!({"plain": "minute"}), &minute)[0], "noise_laeq 55.1 dB");
    assert_eq!(of(&json!({"plain": "hour"}), &minute)[0], "noise_laeq_avg_minute 55.1 dB");
    let by_code = json!({"plain": "minute", "metrics": {"Leq": "noise_street"}});
    assert_eq!(of(&by_code, &minute)[0], "noise_street 55.1 dB");
    let day = segment("2031", "Leq-Data=55;Leq-DayData=58;Leq-NightData=49;L5-NightData=60");
    assert_eq!(
        of(&json!({}), &day),
        [
            "noise_laeq_avg_day 55 dB",
            "noise_laeq_daytime 58 dB",
            "noise_laeq_nighttime 49 dB",
            "noise_l5_nighttime 60 dB"
        ]
    );
    // A measurement of its own is the plain value.
    let single = segment("2052", "Leq-Data=61;Ld-Data=60;Ln-Data=50");
    assert_eq!(of(&json!({}), &single), ["noise_laeq 61 dB", "noise_ld 60 dB", "noise_ln 50 dB"]);
}

#[test]
fn what_a_flag_says_of_a_value_and_whether_there_is_one() {
    let verdict = |flag: &str| {
        let segment = format!(
            "ST=31;CN=2011;MN=M;Flag=4;CP=&&DataTime=20261123160000;\
             a21026-Rtd=3,a21026-Flag={flag}&&"
        );
        let (frame, decoder) = (framed(&segment), compile(&json!({})));
        let values = decode(&*decoder, &frame).expect("values");
        (values[0].quality, values[0].missing)
    };
    for (flags, expected) in [
        ("N 3 1", (None, false)),
        ("T S St Sd 2 ?", (Some(Quality::Suspect), false)),
        ("M C D 0", (Some(Quality::Fail), false)),
        ("F B P Md", (Some(Quality::Missing), true)),
    ] {
        for flag in flags.split(' ') {
            assert_eq!(verdict(flag), expected, "{flag}");
        }
    }
}

#[test]
fn what_stands_beside_a_value_is_none() {
    let segment = "ST=32;CN=2062;MN=M;Flag=8;CP=&&DataTime=20261123160000;\
        w01018-SampleTime=20261123150000,w01018-CompleteTime=20261123154000,w01018-SampleType=1,\
        w01018-ResultType=2,w01018-StandardValue=60,w01018-Check=63.5,w01018-Flag=N&&";
    assert_eq!(of(&json!({}), segment), ["w01018-Check 63.5 -"]);
}

#[test]
fn a_stacks_gases_are_not_those_of_the_street() {
    let segment = |st: &str| {
        format!(
            "ST={st};CN=2011;MN=M;Flag=4;CP=&&DataTime=20261123160000;\
             a21026-Rtd=35,a21026-ZsRtd=38;S01-Rtd=6.5&&"
        )
    };
    assert_eq!(
        of(&json!({}), &segment("31")),
        ["stack_so2 35 mg/m3", "stack_so2_converted 38 mg/m3", "stack_o2 6.5 %"]
    );
    assert_eq!(of(&json!({}), &segment("22"))[0], "so2 35 ug/m3");
}

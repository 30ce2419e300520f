//! Whether this machine knows the city's time zone.

use super::super::finding::{Finding, words};
use super::super::{Check, Context};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "time_zone", look: |context| Box::pin(async move { vec![judge(context)] }) };

fn judge(context: &Context) -> Finding {
    let name = &context.settings.city.time_zone;
    match jiff::tz::TimeZone::get(name) {
        Ok(zone) => {
            let now = jiff::Timestamp::from_microsecond(context.now().micros());
            let now = now.unwrap_or_default();
            let (local, offset) = (zone.to_datetime(now), zone.to_offset(now));
            let local = local.strftime("%Y-%m-%d %H:%M").to_string();
            Finding::ok(words!(
                "{}: it is {} ({}) there",
                "{}：当地时间 {}（{}）",
                name,
                local,
                offset
            ))
        }
        Err(error) => Finding::fail(
            words!("`{}` is not known: {}", "无法识别时区 {}：{}", name, error),
            words!(
                "days, schedules and reports follow the city's time",
                "日界、计划与报表都依赖城市时间"
            ),
            words!(
                "write an IANA name, such as Asia/Shanghai; if it is one, install the package tzdata",
                "请填写 IANA 时区名，如 Asia/Shanghai；若名称无误，请安装 tzdata 软件包"
            ),
        ),
    }
}

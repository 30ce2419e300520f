//! Whether the configuration and the files that it names can be used.

use super::super::finding::{Finding, words};
use super::super::{Check, Context};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "configuration", look: |context| Box::pin(async move { look(context) }) };

fn look(context: &Context) -> Vec<Finding> {
    let Some(file) = &context.config else {
        return vec![Finding::ok(words!(
            "none was named with --config: only this machine and the data folder are looked at",
            "未用 --config 指定配置：只检查本机与数据目录"
        ))];
    };
    let file = file.display();
    match &context.city {
        Ok(city) => {
            let (zones, devices) = (city.seed.zones.zones().len(), city.devices.len());
            let sources = city.sources.iter().count();
            let good = Finding::ok(words!(
                "{} is good: {} zones, {} devices, {} sources",
                "{} 有效：{} 个区域，{} 台设备，{} 个数据源",
                file,
                zones,
                devices,
                sources
            ));
            let warning = |warning: &String| {
                Finding::warn(
                    words!("{}", "{}", warning),
                    words!(
                        "it was taken as it is, but is most likely not meant",
                        "程序仍可运行，但这多半不是本意"
                    ),
                    words!(
                        "mend it in {} or in the file that it names",
                        "请修改 {} 或其中引用的文件",
                        file
                    ),
                )
            };
            std::iter::once(good).chain(city.warnings.iter().map(warning)).collect()
        }
        Err(problems) => vec![Finding::fail(
            words!("{} cannot be used: {}", "{} 无法使用：{}", file, problems),
            words!(
                "the program does not start with it; what follows was looked at with the defaults",
                "程序无法以此配置启动；以下各项按默认值检查"
            ),
            words!(
                "mend what is named; `citybrain config check {}` tells when it is good",
                "请按提示修改；可用 `citybrain config check {}` 复查",
                file
            ),
        )],
    }
}

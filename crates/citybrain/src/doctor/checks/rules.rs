//! Whether there are rules, and whether their calendars know this year.

use city_rules::RuleSet;

use super::super::finding::{Finding, words};
use super::super::{Check, Context};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "rules", look: |context| Box::pin(async move { look(context) }) };

fn look(context: &Context) -> Vec<Finding> {
    // What is wrong with the files is told with the configuration.
    let Ok(city) = &context.city else { return Vec::new() };
    let Some(folder) = &context.settings.city.rules else {
        return vec![Finding::ok(words!(
            "there are no rule files; rules may be in the state database",
            "没有规则文件；规则可能保存在状态数据库中"
        ))];
    };
    vec![judge(&city.rules, &folder.display().to_string())]
}

fn judge(rules: &RuleSet, folder: &str) -> Finding {
    let count = rules.rules().len();
    if count == 0 {
        return Finding::warn(
            words!("{} holds no rules", "{} 中没有规则", folder),
            words!("without rules no alert is ever raised", "没有规则就永远不会产生告警"),
            words!(
                "write some, or leave `rules` of [city] out and edit them in the API",
                "请编写规则，或去掉 [city] 的 rules 并通过 API 编辑"
            ),
        );
    }
    Finding::ok(words!("{} rules in {} are valid", "{} 条规则有效（{}）", count, folder))
}

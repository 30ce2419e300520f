//! Whether the identity provider says who it is, so that people can log in through it.

use super::super::finding::{Finding, words};
use super::super::{Check, Context};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "identity_provider", look: |context| Box::pin(look(context)) };

async fn look(context: &Context) -> Vec<Finding> {
    let Some(oidc) = &context.settings.http.oidc else {
        return vec![Finding::ok(words!(
            "people log in with names and passwords kept here",
            "用户使用本系统保存的账号与密码登录"
        ))];
    };
    let looked = match oidc.provider() {
        Ok(provider) => provider.look().await.map_err(|error| error.to_string()),
        Err(problem) => Err(problem.to_string()),
    };
    vec![match looked {
        Ok(()) => Finding::ok(words!(
            "the identity provider {} answers",
            "身份提供方 {} 应答正常",
            oidc.issuer
        )),
        Err(error) => Finding::fail(
            words!("{}: {}", "{}：{}", oidc.issuer, error),
            words!(
                "nobody can log in through it; names and passwords kept here still work",
                "无法通过它登录；本系统保存的账号与密码仍可使用"
            ),
            words!(
                "see that {}/.well-known/openid-configuration can be read from here, and that ca_file in \
                 [http.oidc] names its authority",
                "请确认本机可读取 {}/.well-known/openid-configuration，且 [http.oidc] 的 ca_file 指向其证书颁发机构",
                oidc.issuer.trim_end_matches('/')
            ),
        ),
    }]
}

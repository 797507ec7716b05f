//! Policies, plans and failures as JSON text, for bindings of other languages: one text in, one text out, never a panic.
//!
//! | function | takes | gives |
//! |---|---|---|
//! | [`plan`] | `{ policy, target, env? }` | `{ "plan": …, "caveats": { id: text } }` or `{ "error": … }` |
//! | [`denial`] | `{ plan, failure }` | `{ "denial": … }`, `null` in it if the policy is not the cause, or `{ "error": … }` |
//!
//! An error is `{ name, code, message }`, with `refusals` if the policy cannot be enforced.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::plan::{Failure, Kind, Plan, Refusal, Target};
use crate::{Facts, Policy};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanRequest {
    #[serde(default)]
    policy: Value,
    target: Target,
    /// Left out: this process's own environment.
    env: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DenialRequest {
    plan: Plan,
    failure: Failure,
}

#[derive(Serialize)]
struct Failed {
    name: &'static str,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refusals: Vec<Refusal>,
}

fn failed(name: &'static str, code: &'static str, message: &dyn std::fmt::Display) -> Failed {
    Failed {
        name,
        code,
        message: message.to_string(),
        refusals: Vec::new(),
    }
}

/// Makes a plan: policy, facts, plan, in one go.
#[must_use]
pub fn plan(request: &str) -> String {
    match make(request) {
        Ok(plan) => {
            let caveats: BTreeMap<&str, &str> = plan
                .keys
                .values()
                .flat_map(|outcome| &outcome.caveats)
                .map(|caveat| (caveat.id(), caveat.text()))
                .collect();
            json!({ "plan": plan, "caveats": caveats }).to_string()
        }
        Err(error) => json!({ "error": error }).to_string(),
    }
}

fn make(request: &str) -> Result<Plan, Failed> {
    let request: PlanRequest = serde_json::from_str(request)
        .map_err(|error| failed("TypeError", "KNT_PERMISSION_REQUEST", &error))?;
    let policy = Policy::from_value(&request.policy)
        .map_err(|error| failed("OptionError", error.code(), &error))?;
    let env = request.env.unwrap_or_else(own_env);
    let kernel = if request.target.kind == Kind::Process {
        crate::kernel(&env)
    } else {
        // A thread has no mounts of its own: no need to find out.
        let mut env = env.clone();
        env.insert("KNITTING_MOUNTS".into(), "0".into());
        crate::kernel(&env)
    };
    let facts = Facts::gather(&policy, &request.target, env, kernel)
        .map_err(|error| failed("OptionError", error.code(), &error))?;
    crate::plan(&policy, &request.target, &facts).map_err(|refused| Failed {
        refusals: refused.refusals.clone(),
        ..failed("PermissionUnenforceableError", refused.code(), &refused)
    })
}

/// This process's environment, without what is not Unicode: no JavaScript runtime could pass that on.
fn own_env() -> BTreeMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Explains a failure; see [`Plan::denial`].
#[must_use]
pub fn denial(request: &str) -> String {
    let read = serde_json::from_str::<DenialRequest>(request)
        .map_err(|error| failed("TypeError", "KNT_PERMISSION_REQUEST", &error));
    match read {
        Ok(request) => json!({ "denial": request.plan.denial(&request.failure) }).to_string(),
        Err(error) => json!({ "error": error }).to_string(),
    }
}

//! Looks at a server without changing it: is it ready, does it know us, is everything there.

use super::options::InfluxOptions;
use super::server::Server;
use super::setup::{TIERS, tier_bucket};
use crate::StoreError;

/// What a server was found to be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Its version, if it says one.
    pub version: Option<String>,
    /// Whether nobody has set it up yet; then nothing else was asked.
    pub is_fresh: bool,
    /// Whether the bucket of the readings is there, and the token may see it.
    pub has_bucket: bool,
    /// Buckets of tiers that are missing; other tools read them.
    pub missing_tiers: Vec<String>,
}

/// Asks the server; changes nothing.
///
/// # Errors
/// If it is not ready or cannot be reached, or does not know the token or the organization.
pub async fn inspect(options: &InfluxOptions) -> Result<Inspection, StoreError> {
    let server = Server::new(options)?;
    let mut found = Inspection { version: server.version().await?, ..Inspection::default() };
    if server.is_fresh().await? {
        found.is_fresh = true;
        return Ok(found);
    }
    server.org_id().await?;
    found.has_bucket = server.bucket(&options.bucket).await?.is_some();
    for (tier, _) in TIERS {
        let name = tier_bucket(&options.bucket, tier);
        if server.bucket(&name).await?.is_none() {
            found.missing_tiers.push(name);
        }
    }
    Ok(found)
}

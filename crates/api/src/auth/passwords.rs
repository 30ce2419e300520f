//! Passwords of people: how they are kept, compared, and which are too easy to guess.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use city_registry::FieldProblem;

/// The shortest password that is taken, in characters. NIST SP 800-63B-4, clause 3.1.1.2, asks for
/// 8 beside another factor and 15 alone; with bounded guessing and a list of what is common, 12.
pub const SHORTEST: usize = 12;
/// The longest, in bytes: far more than anybody types, and little to hash.
const LONGEST: usize = 1_024;

/// Words that most guesses begin with, as lists of breached passwords show, and rows of keyboards;
/// digits and signs before and behind, and repeating, make them no better.
const COMMON: &[&str] = &[
    "abc",
    "access",
    "admin",
    "administrator",
    "adminadmin",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "autumn",
    "baseball",
    "batman",
    "beijing",
    "changeme",
    "charlie",
    "citybrain",
    "computer",
    "correcthorsebatterystaple",
    "default",
    "dragon",
    "engineer",
    "football",
    "freedom",
    "guest",
    "hello",
    "helloworld",
    "iloveyou",
    "internet",
    "jennifer",
    "letmein",
    "letmeinplease",
    "liverpool",
    "login",
    "manager",
    "manchesterunited",
    "master",
    "michael",
    "monkey",
    "mustang",
    "mypassword",
    "opensesame",
    "operator",
    "pass",
    "password",
    "princess",
    "qazwsx",
    "qazwsxedc",
    "qaz",
    "qwe",
    "qweasd",
    "qweasdzxc",
    "qwer",
    "qwert",
    "qwerty",
    "qwertyuiop",
    "root",
    "secret",
    "server",
    "shadow",
    "shanghai",
    "smartcity",
    "spring",
    "starwars",
    "summer",
    "sunshine",
    "superman",
    "support",
    "system",
    "test",
    "thisismypassword",
    "topsecret",
    "trustno",
    "viewer",
    "wangyut",
    "welcome",
    "whatever",
    "winter",
    "woaini",
    "zaq",
    "zhongguo",
    "zxcvbn",
    "zxcvbnm",
];

/// argon2id with more than the least that OWASP's Password Storage Cheat Sheet asks for (19 MiB, two
/// passes, one lane): three passes over 32 MiB.
fn argon2() -> Argon2<'static> {
    // Tests log in hundreds of times.
    let (kib, passes) = if cfg!(test) { (64, 1) } else { (32 << 10, 3) };
    let params = Params::new(kib, passes, 1, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A hash as kept, a PHC string; takes a tenth of a second on purpose.
pub(super) fn hash(password: &str) -> Result<String, FieldProblem> {
    let salt = rand::random::<[u8; 16]>();
    let hash: Result<PasswordHash, _> =
        argon2().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string())
        .map_err(|error| problem(format!("it cannot be kept: {error}"), "choose another one"))
}

/// What passwords are compared with where there is no user, so that this takes as long.
static NOBODYS: LazyLock<String> =
    LazyLock::new(|| hash(&super::tokens::random_secret()).unwrap_or_default());

/// Makes what comparing with nobody's password needs, before the first stranger asks.
pub(super) fn prepare() {
    LazyLock::force(&NOBODYS);
}

/// Whether a password is the one that was hashed. Takes as long if there is none to compare with.
pub(super) fn is_right(password: &str, kept: Option<&str>) -> bool {
    // More is never taken, and must not cost more.
    let password = if password.len() > LONGEST { "" } else { password };
    let hash = PasswordHash::new(kept.unwrap_or(NOBODYS.as_str()));
    let right = hash
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    right && kept.is_some() && !password.is_empty()
}

/// Whether a hash was made with other parameters than one would be now.
pub(super) fn is_outdated(kept: &str) -> bool {
    let now = argon2();
    let params = PasswordHash::new(kept).ok().and_then(|hash| Params::try_from(&hash).ok());
    params.is_none_or(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost())
            != (now.params().m_cost(), now.params().t_cost(), now.params().p_cost())
    })
}

/// Whether a password is good enough for this user; otherwise what is wrong with it.
pub(super) fn check_password(password: &str, user: &str, name: &str) -> Result<(), FieldProblem> {
    let short = password.chars().count();
    if short < SHORTEST {
        let message = format!("it has {short} characters, and {SHORTEST} are the least");
        return Err(problem(message, "take some words that only you would put together"));
    }
    if password.len() > LONGEST {
        let message = format!("it has more than {LONGEST} bytes");
        return Err(problem(message, "a shorter one is good enough"));
    }
    let lower = password.to_lowercase();
    let holds = |word: &str| word.chars().count() >= 3 && lower.contains(&word.to_lowercase());
    if holds(user) || holds(name) {
        return Err(problem("it holds the user's name".to_owned(), "leave the name out"));
    }
    if is_common(&lower) || is_simple(&lower) {
        let message = "it is among the first that anybody would try".to_owned();
        return Err(problem(message, "take some words that only you would put together"));
    }
    Ok(())
}

/// Whether it is a common word with something before or behind it, or nothing but digits and signs.
fn is_common(password: &str) -> bool {
    let word = password.trim_matches(|c: char| !c.is_alphabetic());
    let plain = |c: char| match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        other => other,
    };
    let letters = |c: &char| c.is_alphabetic();
    let spelled: String = word.chars().map(plain).filter(letters).collect();
    let left: String = word.chars().filter(letters).collect();
    let is_of = |word: &str| COMMON.iter().any(|common| word.split(common).all(str::is_empty));
    spelled.is_empty() || is_of(&spelled) || is_of(&left)
}

/// Whether it is a few characters over and over, or runs along the alphabet or the digits.
fn is_simple(password: &str) -> bool {
    let characters: Vec<u32> = password.chars().map(u32::from).collect();
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    let runs = characters.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    // A shorter piece, repeated.
    let repeats = (1..=characters.len() / 2)
        .any(|length| characters.iter().zip(&characters[length..]).all(|(a, b)| a == b));
    different.len() < 5 || repeats || runs * 4 >= characters.len() * 3
}

fn problem(message: String, hint: &'static str) -> FieldProblem {
    FieldProblem { field: "password".to_owned(), message, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_right_and_nothing_matches_nobody() {
        let kept = hash("a long walk by the river").expect("hashed");
        assert!(kept.starts_with("$argon2id$v=19$"), "{kept}");
        assert!(is_right("a long walk by the river", Some(&kept)));
        assert!(!is_right("a long walk by the riveR", Some(&kept)));
        assert!(!is_right("", Some(&kept)) && !is_right("x", None));
        assert!(!is_right(&"x".repeat(LONGEST + 1), Some(&hash("").expect("hashed"))));
        assert_ne!(kept, hash("a long walk by the river").expect("hashed"), "salted");
        assert!(!is_outdated(&kept));
        let older = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$\
                     aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        assert!(is_outdated(older) && is_outdated("nothing"));
    }

    #[test]
    fn what_is_easy_to_guess_is_refused() {
        let taken = |password: &str| check_password(password, "ada", "Ada Lovelace").is_ok();
        for good in ["correct horse battery", "江边散步的老人和狗一起走路", "tr0ub4dor&3-and-more"]
        {
            assert!(taken(good), "{good}");
        }
        for bad in [
            "short",
            "elevenchars",
            "password1234",
            "Password1234",
            "passwordpassword",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "123456789012",
            "abcdefghijklmnop",
            "qwertyuiop123",
            "i am ada, let me in",
            "citybrain2026",
            "2026-P@ssw0rd!!",
            "adminadminadmin",
            "493857201934",
            "1qaz2wsx3edc",
        ] {
            assert!(!taken(bad), "{bad}");
        }
        assert!(!taken(&"ab1-".repeat(LONGEST)));
    }
}

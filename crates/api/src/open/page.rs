//! The catalogue and the datasets as pages in both languages: plain HTML, no script, nothing from
//! elsewhere.

use std::fmt::Write as _;

use city_model::LocalText;

use super::describe::{OpenCatalogue, OpenDataset, OpenPeriod};

/// The style sheet of the pages.
pub(super) const CSS: &str = include_str!("open.css");

/// The catalogue.
pub(super) fn catalogue(about: &OpenCatalogue) -> String {
    let mut html = head(&about.title);
    both(&mut html, "h1", &about.title);
    both(&mut html, "p", &about.description);
    if about.simulated {
        both(&mut html, "p class=\"simulated\"", &simulated());
    }
    if about.datasets.is_empty() {
        both(&mut html, "p", &LocalText::new("Nothing is public yet.", "暂无公开数据。"));
    }
    for dataset in &about.datasets {
        let _ = writeln!(html, "<section id=\"{}\">", escape(&dataset.id));
        let _ = writeln!(
            html,
            "<h2><a href=\"/open/v1/datasets/{}\"><span lang=\"en\">{}</span> <span lang=\"zh\">{}\
             </span></a></h2>",
            escape(&dataset.id),
            escape(&dataset.title.en),
            escape(&dataset.title.zh)
        );
        both(&mut html, "p", &dataset.description);
        html.push_str("<dl>\n");
        summary(&mut html, dataset);
        html.push_str("</dl>\n</section>\n");
    }
    both(&mut html, "h2", &LocalText::new("For programs", "供程序使用"));
    let _ = writeln!(
        html,
        "<ul><li><a href=\"/open/v1/catalog.jsonld\">DCAT-AP 3.0, JSON-LD</a></li>\
         <li><a href=\"/open/v1/catalog.ttl\">DCAT-AP 3.0, Turtle</a></li></ul>"
    );
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// One dataset.
pub(super) fn dataset(about: &OpenDataset) -> String {
    let mut html = head(&about.title);
    html.push_str("<p><a href=\"/open/v1\">← <span lang=\"en\">All datasets</span> <span lang=\"zh\">全部数据集</span></a></p>\n");
    both(&mut html, "h1", &about.title);
    both(&mut html, "p", &about.description);
    if about.simulated {
        both(&mut html, "p class=\"simulated\"", &simulated());
    }
    html.push_str("<dl>\n");
    summary(&mut html, about);
    if let Some([west, south, east, north]) = about.spatial {
        let text = format!("{south}° – {north}° N, {west}° – {east}° E (WGS-84)");
        entry(&mut html, &LocalText::new("Area", "空间范围"), &text);
    }
    if let Some(contact) = &about.contact {
        let link = format!("<a href=\"{0}\">{0}</a>", escape(contact));
        raw_entry(&mut html, &LocalText::new("Contact", "联系方式"), &link);
    }
    html.push_str("</dl>\n");
    both(&mut html, "h2", &LocalText::new("Get it", "获取数据"));
    html.push_str("<ul>\n");
    for distribution in &about.distributions {
        let _ = writeln!(
            html,
            "<li><a href=\"{}\"><span lang=\"en\">{}</span> <span lang=\"zh\">{}</span></a></li>",
            escape(&distribution.url),
            escape(&distribution.title.en),
            escape(&distribution.title.zh)
        );
    }
    html.push_str("</ul>\n");
    if about.temporal.is_some() {
        let text = LocalText::new(
            "Whole days by UTC as CSV: readings/YYYY-MM-DD.csv. Pages take from, to, metric, \
             device, step, limit and cursor.",
            "按 UTC 日期整日下载 CSV：readings/YYYY-MM-DD.csv。分页接口的参数：from、to、metric、device、\
             step、limit、cursor。",
        );
        both(&mut html, "p", &text);
    }
    both(&mut html, "h2", &LocalText::new("What is measured", "监测指标"));
    html.push_str("<table>\n");
    for metric in &about.metrics {
        let _ = writeln!(
            html,
            "<tr><td><code>{}</code></td><td lang=\"en\">{}</td><td lang=\"zh\">{}</td><td>{}</td></tr>",
            escape(&metric.id),
            escape(&metric.name.en),
            escape(&metric.name.zh),
            escape(&metric.symbol)
        );
    }
    html.push_str("</table>\n");
    both(&mut html, "h2", &LocalText::new("Where it comes from", "数据来源"));
    both(&mut html, "p", &about.provenance);
    both(&mut html, "h2", &LocalText::new("Quality flags", "质量标志"));
    html.push_str("<table>\n");
    for flag in &about.quality_flags {
        let _ = writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{}</td><td lang=\"en\">{}</td><td lang=\"zh\">{}</td></tr>",
            flag.flag,
            flag.code,
            escape(&flag.meaning.en),
            escape(&flag.meaning.zh)
        );
    }
    html.push_str("</table>\n</main>\n</body>\n</html>\n");
    html
}

fn summary(html: &mut String, about: &OpenDataset) {
    entry_of(html, &LocalText::new("Publisher", "发布者"), &about.publisher);
    let licence = format!(
        "<a rel=\"license\" href=\"{}\">{}</a>",
        escape(&about.licence.url),
        escape(&about.licence.id)
    );
    raw_entry(html, &LocalText::new("Licence", "许可"), &licence);
    let updated = about.updated_at.map_or_else(|| "–".to_owned(), |at| at.to_string());
    entry(html, &LocalText::new("Newest reading", "最新读数"), &updated);
    let period = match about.temporal {
        Some(OpenPeriod { from, to }) => format!("{from} – {to}"),
        None => "–".to_owned(),
    };
    entry(html, &LocalText::new("Readings from, to", "读数起止"), &period);
    entry(html, &LocalText::new("Devices", "设备数"), &about.devices.to_string());
}

fn simulated() -> LocalText {
    LocalText::new("Simulated data: nothing of it was measured.", "模拟数据：并非实际测量结果。")
}

fn head(title: &LocalText) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{} · {}</title>\n\
         <link rel=\"stylesheet\" href=\"/open/v1/open.css\">\n\
         <link rel=\"alternate\" type=\"text/turtle\" href=\"/open/v1/catalog.ttl\">\n\
         <link rel=\"alternate\" type=\"application/ld+json\" href=\"/open/v1/catalog.jsonld\">\n\
         </head>\n<body>\n<main>\n",
        escape(&title.en),
        escape(&title.zh)
    )
}

/// A text in both languages, each in an element of its own.
fn both(html: &mut String, element: &str, text: &LocalText) {
    let name = element.split(' ').next().unwrap_or(element);
    let _ = writeln!(html, "<{element} lang=\"en\">{}</{name}>", escape(&text.en));
    if text.zh != text.en {
        let _ = writeln!(html, "<{element} lang=\"zh\">{}</{name}>", escape(&text.zh));
    }
}

fn entry_of(html: &mut String, name: &LocalText, text: &LocalText) {
    let said = format!(
        "<span lang=\"en\">{}</span> <span lang=\"zh\">{}</span>",
        escape(&text.en),
        escape(&text.zh)
    );
    raw_entry(html, name, &said);
}

fn entry(html: &mut String, name: &LocalText, text: &str) {
    raw_entry(html, name, &escape(text));
}

fn raw_entry(html: &mut String, name: &LocalText, said: &str) {
    let _ = writeln!(
        html,
        "<dt><span lang=\"en\">{}</span> <span lang=\"zh\">{}</span></dt><dd>{said}</dd>",
        escape(&name.en),
        escape(&name.zh)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

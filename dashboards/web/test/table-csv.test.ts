import { describe, expect, it } from "vitest";
import { csvOf, rowsOf } from "../src/ui/table-csv";

function table(html: string): HTMLTableElement {
  const made = document.createElement("table");
  made.innerHTML = html;
  return made;
}

describe("a table as a file", () => {
  it("has the texts, exact moments, and nothing that only buttons say", () => {
    const rows = rowsOf(table(`
      <thead><tr><th><button>Name</button></th><th colspan="2">Value</th></tr></thead>
      <tbody><tr><th scope="row"><a href="#">Air  1</a></th><td>5 <span aria-hidden="true">▲</span></td><td><time datetime="2026-11-30T00:00:00Z">08:00</time><button>Mend</button></td></tr></tbody>`));
    expect(rows).toEqual([["Name", "Value", ""], ["Air 1", "5", "2026-11-30T00:00:00Z"]]);
  });

  it("parts what stands apart, keeps who did it beside when, and says the shapes that have no word", () => {
    const rows = rowsOf(table(`<tbody>
      <tr><th scope="row"><a href="#">Lamp 7</a><span class="under">lamp-7</span></th><td>li.na <span class="under"><time datetime="2026-11-30T00:00:00Z">2 h</time></span></td></tr>
      <tr><th scope="row"><button>Rule</button><svg></svg></th><td><span class="worded"><svg role="img" aria-label="High"></svg>3</span><span class="worded"><svg role="img" aria-label="Low"></svg>12</span></td></tr>
      <tr><td>4<span class="under">unsaid: 1</span></td><td><time datetime="2026-11-30T00:00:00Z">08:00</time> – <time datetime="2026-11-30T01:00:00Z">09:00</time></td></tr></tbody>`));
    expect(rows).toEqual([["Lamp 7 lamp-7", "li.na 2026-11-30T00:00:00Z"], ["Rule", "High 3 Low 12"], ["4 unsaid: 1", "2026-11-30T00:00:00Z – 2026-11-30T01:00:00Z"]]);
  });

  it("is what spreadsheet programs read, and gives them no formula", () => {
    const text = csvOf([["a,b", 'say "x"', "line"], ["=1+1", "-5.2 µg/m³", "+1+cmd|x"], ["@x", "-3", "空气"]]);
    expect(text).toBe('"a,b","say ""x""",line\r\n\'=1+1,-5.2 µg/m³,\'+1+cmd|x\r\n\'@x,-3,空气\r\n');
  });
});

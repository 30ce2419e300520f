import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AccessToken, Grant, User } from "../src/api/types";
import { setLanguage } from "../src/i18n";
import { go, route } from "../src/router";
import { AdminScreen } from "../src/screens/admin";
import { AuditScreen } from "../src/screens/admin/audit";
import { TokensScreen } from "../src/screens/admin/tokens";
import { UserScreen } from "../src/screens/admin/user";
import { AlertRow } from "../src/screens/overview/alert-row";
import { departments } from "../src/state/city";
import { session } from "../src/state/session";
import { alert, signedIn } from "./samples";

let root: HTMLElement;
beforeEach(() => {
  setLanguage("en");
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
  departments.value = ["water", "roads"].map((id) => ({ id, name: { en: id, zh: id }, devices: 0 }));
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
  go("/");
});

const show = (what: preact.ComponentChild) => act(() => render(what, root));
const be = (...grants: Grant[]) => {
  session.value = { phase: "in", session: signedIn(grants) };
};
const type = (field: Element | null, value: string) =>
  act(() => {
    (field as HTMLInputElement).value = value;
    field?.dispatchEvent(new Event("input", { bubbles: true }));
  });
const submit = () => act(async () => void root.querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));
const button = (text: string) => [...root.querySelectorAll("button")].find((each) => each.textContent?.includes(text));

interface Sent {
  call: string;
  body: unknown;
  headers: Record<string, string>;
}
type Reply = (sent: Sent) => { status?: number; body?: unknown; tag?: string };

function server(reply: Reply): Sent[] {
  const all: Sent[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const sent = { call: `${init.method} ${url.replace("/api/v1", "")}`, body: typeof init.body === "string" ? JSON.parse(init.body) : null, headers: init.headers as Record<string, string> };
    all.push(sent);
    const { status = 200, body = {}, tag } = reply(sent);
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers: tag === undefined ? {} : { ETag: tag } });
  });
  return all;
}

const user = (change: Partial<User> = {}): User => ({ id: "wang", name: "Wang", email: null, grants: [{ department: "water", role: "viewer" }], enabled: true, external: false, password_change_needed: false, created_at: "2026-11-01T00:00:00Z", last_login_at: null, ...change });

describe("administration", () => {
  it("is for administrators: others are told so, and nothing is asked", async () => {
    be({ department: "water", role: "engineer" });
    const sent = server(() => ({}));
    go("/admin/users");
    await show(<AdminScreen route={route.value as never} />);
    expect(root.textContent).toContain("No permission");
    expect(sent).toEqual([]);
  });
});

describe("a user", () => {
  it("is changed under the tag that was seen, and the rights of other departments stay", async () => {
    be({ department: "water", role: "admin" });
    const other: Grant = { department: "roads", role: "engineer" };
    const sent = server(({ call, body }) => ({ body: call.startsWith("PUT") ? user(body as Partial<User>) : user({ grants: [{ department: "water", role: "viewer" }, other] }), tag: '"1"' }));
    await show(<UserScreen id="wang" />);
    await vi.waitFor(() => expect(root.querySelectorAll(".grant-row")).toHaveLength(2));
    const rows = [...root.querySelectorAll(".grant-row")];
    expect(rows[1]?.querySelector("select"), "another department's is only shown").toBeNull();
    const name = root.querySelector<HTMLInputElement>(".admin-form input");
    expect(name?.readOnly, "the account is not only this department's").toBe(true);
    const role = rows[0]?.querySelectorAll("select")[1] as HTMLSelectElement;
    await act(() => {
      role.value = "operator";
      role.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await submit();
    await vi.waitFor(() => expect(sent.some(({ call }) => call === "PUT /users/wang")).toBe(true));
    const put = sent.find(({ call }) => call === "PUT /users/wang");
    expect(put?.headers["If-Match"]).toBe('"1"');
    expect(put?.body).toEqual({ name: "Wang", email: null, enabled: true, grants: [{ department: "water", role: "operator" }, other] });
  });

  it("that somebody else changed meanwhile is merged, and clashes are decided", async () => {
    be({ department: "*", role: "admin" });
    let theirs = false;
    const sent = server(({ call, headers, body }) => {
      if (call === "PUT /users/wang" && headers["If-Match"] === '"1"') {
        theirs = true;
        return { status: 412, body: { status: 412, code: "changed_meanwhile", title: "changed" } };
      }
      if (call === "PUT /users/wang") return { body: user(body as Partial<User>), tag: '"3"' };
      return theirs ? { body: user({ name: "Wang L.", email: "theirs@city.example" }), tag: '"2"' } : { body: user(), tag: '"1"' };
    });
    await show(<UserScreen id="wang" />);
    await vi.waitFor(() => expect(root.querySelector("input[type=email]")).not.toBeNull());
    await type(root.querySelector("input[type=email]"), "mine@city.example");
    await submit();
    await vi.waitFor(() => expect(root.querySelector(".conflict")).not.toBeNull());
    expect(root.querySelector(".conflict-taken")?.textContent).toContain("Wang L.");
    expect(button("Save both together")?.disabled, "the clash is open").toBe(true);
    await act(() => root.querySelector<HTMLInputElement>(".conflict input")?.click());
    await act(() => button("Save both together")?.click());
    await vi.waitFor(() => expect(sent.filter(({ call }) => call.startsWith("PUT"))).toHaveLength(2));
    const last = sent.filter(({ call }) => call.startsWith("PUT")).at(-1);
    expect(last?.headers["If-Match"]).toBe('"2"');
    expect(last?.body).toMatchObject({ name: "Wang L.", email: "mine@city.example" });
    await vi.waitFor(() => expect(root.querySelector(".conflict")).toBeNull());
  });

  it("is made only if nobody has that name, with a password that is shown once", async () => {
    be({ department: "water", role: "admin" });
    const sent = server(({ body }) => ({ status: 201, body: user(body as Partial<User>), tag: '"1"' }));
    await show(<UserScreen id={null} />);
    const [id, name] = [...root.querySelectorAll(".admin-form input")];
    await type(id ?? null, "new.one");
    await type(name ?? null, "New One");
    await act(() => button("Add a right")?.click());
    await submit();
    await vi.waitFor(() => expect(root.querySelector(".once input")).not.toBeNull());
    const put = sent[0];
    expect(put?.call).toBe("PUT /users/new.one");
    expect(put?.headers["If-None-Match"]).toBe("*");
    expect(put?.body).toMatchObject({ name: "New One", grants: [{ department: "water", role: "viewer" }], password: root.querySelector<HTMLInputElement>(".once input")?.value });
  });
});

describe("access tokens", () => {
  const token = (change: Partial<AccessToken>): AccessToken => ({ id: "7", note: "GIS", grants: [{ department: "water", role: "viewer" }], created_at: "2026-11-01T00:00:00Z", created_by: "ada", own: false, expires_at: null, last_used_at: null, last_used_from: null, revoked_at: null, ...change });

  it("are revoked after a question, and listed by what the address asks", async () => {
    be({ department: "water", role: "admin" });
    const sent = server(({ call }) => (call.startsWith("DELETE") ? { status: 204 } : { body: { items: [token({}), token({ id: "8", note: "old", revoked_at: "2026-11-02T00:00:00Z" })], next_cursor: null } }));
    go("/admin/tokens");
    await show(<TokensScreen />);
    await vi.waitFor(() => expect(root.querySelectorAll("tbody tr")).toHaveLength(1));
    await act(() => go("/admin/tokens?state=all"));
    expect(root.querySelectorAll("tbody tr")).toHaveLength(2);
    await act(() => root.querySelector<HTMLElement>("[data-token='7'] button")?.click());
    expect(sent.some(({ call }) => call.startsWith("DELETE"))).toBe(false);
    await act(async () => root.querySelector<HTMLElement>(".button.danger")?.click());
    await vi.waitFor(() => expect(sent.map(({ call }) => call)).toContain("DELETE /tokens/7"));
  });

  it("give no more than their maker has, and are shown once", async () => {
    be({ department: "water", role: "operator" }, { department: "roads", role: "admin" });
    const sent = server(({ call }) => (call === "POST /tokens" ? { status: 201, body: { id: "9", token: "secret-token" } } : { body: { items: [], next_cursor: null } }));
    go("/admin/tokens?make=1");
    await show(<TokensScreen />);
    const roles = () => [...(root.querySelectorAll(".grant-row select")[1]?.querySelectorAll("option") ?? [])].map((option) => option.value);
    expect(roles()).toEqual(["viewer", "operator", "engineer", "admin"]);
    const places = [...(root.querySelectorAll(".grant-row select")[0]?.querySelectorAll("option") ?? [])].map((option) => option.value);
    expect(places, "others and the whole city are not theirs to give").toEqual(["roads"]);
    await type(root.querySelector(".dialog input"), "Night job");
    await submit();
    await vi.waitFor(() => expect(root.querySelector<HTMLInputElement>(".once input")?.value).toBe("secret-token"));
    const { body } = sent.find(({ call }) => call === "POST /tokens") ?? {};
    expect(body).toMatchObject({ note: "Night job", grants: [{ department: "roads", role: "viewer" }] });
    expect(Date.parse((body as { expires_at: string }).expires_at), "by default it ends").toBeGreaterThan(Date.now());
  });
});

describe("the audit log", () => {
  const entry = { number: 5, at: "2026-11-29T10:00:00Z", user: "ada", via: "session", address: "10.0.0.1", action: "put_user", target: "wang", department: "water", before: { enabled: true }, after: { enabled: false }, outcome: "done", status: 200, times: 1, hash: "ab" };

  it("shows before and after, filters by the address, and exports the same", async () => {
    be({ department: "*", role: "admin" });
    const sent = server(({ call }) => ({ body: call.includes("verification") ? { entries: 5, first: 1, last: 5, intact: true, broken_at: null, detail: null } : { items: [entry, { ...entry, number: 4, outcome: "forbidden", status: 403, times: 3 }], next_cursor: null } }));
    go("/admin/audit-log?action=put_user&department=water&entry=5");
    await show(<AuditScreen />);
    await vi.waitFor(() => expect(root.querySelectorAll("tr[data-entry]")).toHaveLength(2));
    expect(sent.map(({ call }) => call)).toContain("GET /audit-log?action=put_user&department=water&limit=100");
    expect(root.querySelector(".difference del")?.textContent).toBe("true");
    expect(root.querySelector(".difference ins")?.textContent).toBe("false");
    expect(root.querySelector("[data-entry='4']")?.textContent).toContain("403 · 3 times");
    expect(root.querySelector("a[download]")?.getAttribute("href")).toBe("/api/v1/audit-log?action=put_user&department=water&format=csv");
    expect(root.querySelector(".chain")?.textContent).toContain("Intact: 5 entries");
  });

  it("that was altered says so in words, at which entry", async () => {
    be({ department: "*", role: "admin" });
    server(({ call }) => ({ body: call.includes("verification") ? { entries: 5, first: 1, last: 5, intact: false, broken_at: 3, detail: "entry 3 was changed" } : { items: [], next_cursor: null } }));
    go("/admin/audit-log");
    await show(<AuditScreen />);
    await vi.waitFor(() => expect(root.querySelector(".chain-broken")?.textContent).toContain("altered at entry 3"));
  });
});

describe("an alert of another department", () => {
  it("cannot be acknowledged, says why, and sends nothing", async () => {
    be({ department: "roads", role: "operator" });
    const sent = server(() => ({}));
    await show(<AlertRow alert={alert()} top={0} selected={false} onSelect={() => undefined} />);
    const ack = root.querySelector("button");
    expect(ack?.getAttribute("aria-disabled")).toBe("true");
    expect(ack?.title).toContain("Needs the role Operator in water");
    await act(async () => ack?.click());
    expect(sent).toEqual([]);
  });
});

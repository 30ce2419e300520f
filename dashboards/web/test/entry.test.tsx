import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { setLanguage } from "../src/i18n";
import { go, path, route, setupToken, takeLoginToken } from "../src/router";
import { LoginScreen } from "../src/screens/entry/login";
import { SetupScreen } from "../src/screens/entry/setup";
import { now } from "../src/state/clock";
import { refusal, session } from "../src/state/session";
import { PasswordField } from "../src/ui/password-field";
import { signedIn } from "./samples";

let root: HTMLElement;
beforeEach(() => {
  setLanguage("en");
  session.value = { phase: "out", why: "none" };
  refusal.value = null;
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

const show = (what: preact.ComponentChild) => act(() => render(what, root));
const type = (selector: string, value: string) =>
  act(() => {
    const field = root.querySelector(selector) as HTMLInputElement;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
const submit = () => act(async () => void root.querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));

type Answer = [status: number, body: unknown, headers?: Record<string, string>];

/** Answers by `METHOD /path`; keeps what was sent. */
function server(answers: Record<string, Answer>) {
  const sent: { call: string; body: unknown }[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const call = `${init.method} ${url.replace("/api/v1", "")}`;
    sent.push({ call, body: typeof init.body === "string" ? JSON.parse(init.body) : null });
    const [status, body, headers = {}] = answers[call] ?? [404, { status: 404, code: "not_found", title: "none" }];
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers });
  });
  return sent;
}
const METHODS = { password: true, setup_needed: false, oidc: null };
const refused = (status: number, code: string): Answer => [status, { status, code, title: code, detail: code }];

describe("signing in", () => {
  it("sends name and password and comes in", async () => {
    const sent = server({ "GET /login-methods": [200, METHODS], "POST /session": [204, null], "GET /session": [200, signedIn([])] });
    const done = vi.fn();
    await show(<LoginScreen onDone={done} />);
    expect(root.querySelector("input[autocomplete=username]")).not.toBeNull();
    await type("input[autocomplete=username]", " wang ");
    await type("input[autocomplete=current-password]", " with spaces ");
    await submit();
    await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
    expect(sent.find(({ call }) => call === "POST /session")?.body).toEqual({ user: "wang", password: " with spaces " });
  });

  it("says by the code of the problem what was wrong, in both languages", async () => {
    server({ "GET /login-methods": [200, METHODS], "POST /session": refused(401, "bad_login") });
    await show(<LoginScreen onDone={() => undefined} />);
    await type("input[autocomplete=username]", "wang");
    await type("input[autocomplete=current-password]", "x");
    await submit();
    await vi.waitFor(() => expect(root.querySelector("[role=alert]")?.textContent).toContain("do not fit together"));
    await act(() => setLanguage("zh"));
    expect(root.querySelector("[role=alert]")?.textContent).toContain("用户名或密码不正确");
  });

  it("counts down while it has to wait, and lets nothing be sent", async () => {
    const sent = server({ "GET /login-methods": [200, METHODS], "POST /session": [429, { status: 429, code: "too_many_attempts", title: "x" }, { "Retry-After": "30" }] });
    now.value = 1_000_000;
    await show(<LoginScreen onDone={() => undefined} />);
    await type("input[autocomplete=username]", "wang");
    await type("input[autocomplete=current-password]", "x");
    await submit();
    await vi.waitFor(() => expect(root.querySelector("[role=alert]")?.textContent).toContain("30 s"));
    await act(() => void (now.value = 1_021_000));
    expect(root.querySelector("[role=alert]")?.textContent).toContain("9 s");
    await submit();
    expect(sent.filter(({ call }) => call === "POST /session")).toHaveLength(1);
    await act(() => void (now.value = 1_030_000));
    expect(root.querySelector("[role=alert]")?.textContent).toContain("You can try again now");
    expect((root.querySelector("button[type=submit]") as HTMLButtonElement).disabled).toBe(false);
  });

  it("keeps tokens behind a switch, and shows single sign-on and set-up where there are any", async () => {
    const sent = server({ "GET /login-methods": [200, { password: true, setup_needed: true, oidc: { name: { en: "City account", zh: "市政账号" } } }], "POST /session/external": [502, { status: 502, code: "provider_unavailable", title: "x" }, { "Content-Type": "application/problem+json" }], "POST /session": [204, null], "GET /session": [200, signedIn([])] });
    await show(<LoginScreen onDone={() => undefined} />);
    const single = () => [...root.querySelectorAll("button")].find((button) => button.textContent?.includes("City account"));
    await vi.waitFor(() => expect(single()).toBeDefined());
    await act(() => single()?.click());
    await vi.waitFor(() => expect(root.querySelector("[role=alert]")?.textContent).toContain("identity provider does not answer"));
    expect(root.querySelector("a[href='/setup']")).not.toBeNull();
    await act(() => (root.querySelector(".login-way") as HTMLElement).click());
    expect(root.querySelector("input[autocomplete=username]")).toBeNull();
    await type("input[name=token]", " abc ");
    await submit();
    await vi.waitFor(() => expect(sent.some(({ call, body }) => call === "POST /session" && (body as { token?: string }).token === "abc")).toBe(true));
  });
});

describe("a password field", () => {
  it("shows what is typed when asked, and warns of caps lock", async () => {
    await show(<PasswordField label="Password" name="p" autocomplete="current-password" value="x" onInput={() => undefined} />);
    const field = root.querySelector("input") as HTMLInputElement;
    expect(field.type).toBe("password");
    await act(() => root.querySelector("button")?.click());
    expect(field.type).toBe("text");
    const press = (on: boolean) =>
      act(() => {
        const event = new KeyboardEvent("keydown", { key: "A", bubbles: true });
        Object.defineProperty(event, "getModifierState", { value: (key: string) => key === "CapsLock" && on });
        field.dispatchEvent(event);
      });
    await press(true);
    expect(root.textContent).toContain("Caps lock is on");
    await press(false);
    expect(root.textContent).not.toContain("Caps lock is on");
  });
});

describe("set-up", () => {
  it("takes the token out of the address without signing in with it", () => {
    history.replaceState(null, "", "/setup#token=first");
    path.value = "/setup";
    expect(takeLoginToken()).toBeNull();
    expect(setupToken.value).toBe("first");
    expect(location.href).not.toContain("first");
    expect(route.value).toEqual({ screen: "setup" });
    go("/");
  });

  it("makes the first administrator only with a password that is good enough and typed twice", async () => {
    setupToken.value = null;
    const sent = server({ "GET /login-methods": [200, { ...METHODS, setup_needed: true }], "POST /setup": [204, null], "GET /session": [200, signedIn([{ department: "*", role: "admin" }])] });
    const done = vi.fn();
    await show(<SetupScreen onDone={done} />);
    await act(() => void (setupToken.value = "first"));
    await type("input[autocomplete=username]", "ada");
    await type("input[autocomplete=name]", "Ada");
    const button = () => root.querySelector("button[type=submit]") as HTMLButtonElement;
    await type("input[name=new-password]", "too short");
    await type("input[name=new-password-again]", "too short");
    expect(button().disabled).toBe(true);
    await type("input[name=new-password]", "long enough by far");
    expect(button().disabled, "the second one still differs").toBe(true);
    await type("input[name=new-password-again]", "long enough by far");
    expect(button().disabled).toBe(false);
    await submit();
    await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
    expect(sent.find(({ call }) => call === "POST /setup")?.body).toEqual({ token: "first", user: "ada", name: "Ada", password: "long enough by far" });
    expect(setupToken.value).toBeNull();
  });

  it("says so when it was done before", async () => {
    server({ "GET /login-methods": [200, METHODS] });
    await show(<SetupScreen onDone={() => undefined} />);
    await vi.waitFor(() => expect(root.textContent).toContain("set up already"));
    expect(root.querySelector("input")).toBeNull();
  });
});

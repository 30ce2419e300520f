/** What surrounds the pages before one is in: the name, language and theme. */
import type { ComponentChildren } from "preact";
import { language, t } from "../../i18n";
import { changeLanguage } from "../../state/language";
import { ThemeButton, useDocumentNames } from "../../ui/shell";

interface Props {
  title: string;
  children: ComponentChildren;
  onSubmit(): void;
  /** Below the form, such as other ways in. */
  after?: ComponentChildren;
}

export function EntryFrame({ title, children, onSubmit, after }: Props) {
  useDocumentNames();
  return (
    <main class="login" id="content">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        <p class="login-brand">{t("app.name")}</p>
        <h1>{title}</h1>
        {children}
      </form>
      {after}
      <div class="login-actions">
        <button type="button" class="plain" onClick={changeLanguage} lang={language.value === "zh" ? "en" : "zh-CN"}>
          {t("pref.language")}
        </button>
        <ThemeButton />
      </div>
    </main>
  );
}

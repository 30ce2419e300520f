/** English texts of rules and intake that every screen shows: navigation and help. */
export const enRulesFirst = {
  "nav.rules": "Rules",
  "nav.intake": "Intake",
  "help.group.rules": "Rules",
  "help.rules.fault": "Go to the first problem",
  "help.rules.panes": "Problems, test, backtest, history, publish",
  "help.rules.edit": "Edit the rule",
  "help.rules.tab": "Indent; Esc Tab leaves the text",
  "help.rules.pick": "Pick the row (dead letters)",
  "editor.undo": "Undo",
  "editor.redo": "Redo",
} as const;

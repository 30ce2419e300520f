/** 规则与接入在每个页面都会显示的中文文案：导航与帮助. */
export const zhRulesFirst = {
  "nav.rules": "规则",
  "nav.intake": "接入",
  "help.group.rules": "规则",
  "help.rules.fault": "跳到第一个问题",
  "help.rules.panes": "问题、测试、回测、历史、发布",
  "help.rules.edit": "编辑规则",
  "help.rules.tab": "缩进；Esc 后 Tab 离开文本",
  "help.rules.pick": "选中该行（死信）",
  "editor.undo": "撤销",
  "editor.redo": "重做",
} as const;

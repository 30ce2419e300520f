/** The texts of rules and intake come with their screens. */
import { addTexts } from "./index";
import { enRules } from "./en-rules";
import { zhRules } from "./zh-rules";

addTexts<keyof typeof enRules>({ en: enRules, zh: zhRules });

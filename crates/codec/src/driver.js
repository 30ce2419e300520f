// Calls a vendor's script for one frame. Evaluated once per realm, before the script, so that
// what it needs is the language's own even if the script replaces it.
(function () {
  "use strict";
  var DateOf = Date;
  var parse = JSON.parse;
  var stringify = JSON.stringify;
  var text = String;
  var number = Number;
  var apply = Reflect.apply;
  var isArray = Array.isArray;
  var call = Function.prototype.call.bind(Function.prototype.call);
  var isDate = call.bind(null, Function.prototype[Symbol.hasInstance], Date);
  var getTime = call.bind(null, Date.prototype.getTime);
  var toISOString = call.bind(null, Date.prototype.toISOString);
  var sourceOf = call.bind(null, Function.prototype.toString);
  var matched = call.bind(null, RegExp.prototype.exec);
  var global = globalThis;
  var NOTHING = [];
  var MOST_LINES = 100;
  var MOST_CHARACTERS = 1000;

  // A few of the language's own functions run to their end without ever asking whether the time is
  // over. On a list of a thousand million holes, which costs no memory, that is minutes; so is a
  // search for a long text in a long text. This keeps accidents cheap; what gets around it, the
  // caller leaves behind.
  var MOST_ITEMS = 1000000;
  var LONGEST_TEXT = 16384;

  function guard(object, name, tooLong) {
    var original = object[name];
    if (typeof original !== "function") return;
    var guarded = { call: function () {
      tooLong(this);
      for (var i = 0; i < arguments.length; i++) tooLong(arguments[i]);
      return apply(original, this, arguments);
    } }.call;
    Object.defineProperty(guarded, "name", { value: name, configurable: true });
    Object.defineProperty(object, name, {
      value: guarded, writable: true, configurable: true, enumerable: false,
    });
  }

  function longList(list) {
    if (typeof list === "object" && list !== null && list.length > MOST_ITEMS) {
      throw new RangeError("a list of " + list.length + " items is too long");
    }
  }

  function longText(value) {
    if (typeof value === "string" && value.length > LONGEST_TEXT) {
      throw new RangeError("a text of " + value.length + " characters is too long");
    }
  }

  ["concat", "copyWithin", "fill", "flat", "flatMap", "join", "lastIndexOf", "reverse", "shift", "slice",
    "sort", "splice", "toLocaleString", "toReversed", "toSorted", "toSpliced", "unshift", "with",
  ].forEach(function (name) { guard(Array.prototype, name, longList); });
  guard(Array, "from", longList);
  ["includes", "indexOf", "lastIndexOf", "replace", "replaceAll", "split",
  ].forEach(function (name) { guard(String.prototype, name, longText); });

  var lines = null;

  function log() {
    if (lines === null || lines.length >= MOST_LINES) return;
    var line = "";
    for (var i = 0; i < arguments.length; i++) line += (i ? " " : "") + show(arguments[i]);
    lines[lines.length] = line.length > MOST_CHARACTERS ? line.slice(0, MOST_CHARACTERS) : line;
  }

  function show(value) {
    if (typeof value === "object" && value !== null) {
      try {
        return stringify(value);
      } catch (_) {
        return "[object]";
      }
    }
    return text(value);
  }

  function define(name, value) {
    Object.defineProperty(global, name, {
      value: value, writable: true, configurable: true, enumerable: false,
    });
  }

  define("console", { log: log, info: log, warn: log, error: log, debug: log, trace: log });

  function require(name) {
    throw new Error("require(\"" + name + "\") cannot be used: a codec is one file");
  }

  // For a file that is run as a script of its own realm and not as a function with parameters.
  function expose() {
    var module = { exports: {} };
    define("module", module);
    define("exports", module.exports);
    define("require", require);
  }

  // The forms that vendors' files come in, the present one first, and the one of this file.
  var FORMS = ["decodeUplink", "Decode", "Decoder"];
  var form = null;

  // Runs the top of the file; `this` is there what it is for a script, even in strict mode.
  function start(script, module) {
    return apply(script(module.exports, module, require), global, NOTHING);
  }

  function run(script, bytes, port, millis, variables, listen) {
    lines = listen ? [] : null;
    variables = variables === undefined ? {} : parse(variables);
    var module = { exports: {} };
    var found = start(script, module);
    var exported = module.exports;
    var decode = found[form] || (exported && exported[form]);
    if (typeof decode !== "function") return null;
    if (form === "decodeUplink") {
      var recvTime = new DateOf(millis);
      return decode({ bytes: bytes, fPort: port, recvTime: recvTime, variables: variables });
    }
    return { data: form === "Decode" ? decode(port, bytes, variables) : decode(bytes, port) };
  }

  // Whether there is anything to call; called when the script is loaded.
  function check(script) {
    var module = { exports: {} };
    var found = start(script, module);
    var exported = module.exports || {};
    form = null;
    for (var i = 0; i < FORMS.length && form === null; i++) {
      if (canBeCalled(found[FORMS[i]]) || canBeCalled(exported[FORMS[i]])) form = FORMS[i];
    }
    return form !== null;
  }

  // A class is a function too, but one that cannot be called without `new`.
  function canBeCalled(value) {
    return typeof value === "function" && matched(/^class[\s{/]/, sourceOf(value)) === null;
  }

  // The text of a date, null if it is an invalid one, undefined if the value is no date.
  function dateText(value) {
    if (!isDate(value)) return undefined;
    var millis = getTime(value);
    return millis === millis ? toISOString(value) : null;
  }

  // The text of whatever was thrown.
  function thrown(value) {
    if (value instanceof Error) return value.name + ": " + value.message;
    return isArray(value) || typeof value === "object" ? show(value) : text(value);
  }

  return {
    run: run,
    check: check,
    expose: expose,
    number: number,
    dateText: dateText,
    thrown: thrown,
    lines: function () { return lines || []; },
  };
})()

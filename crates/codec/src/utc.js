// Makes UTC the only time zone that dates know: what a frame means must not depend on where the
// server stands. Evaluated once per realm, before the script.
(function () {
  "use strict";
  var Native = Date;
  var prototype = Native.prototype;
  var apply = Reflect.apply;
  var construct = Reflect.construct;
  var defineProperty = Object.defineProperty;
  var text = String;
  var call = Function.prototype.call.bind(Function.prototype.call);
  var matched = call.bind(null, RegExp.prototype.exec);
  var isDate = call.bind(null, Function.prototype[Symbol.hasInstance], Native);
  var getTime = call.bind(null, prototype.getTime);
  var toUTCString = call.bind(null, prototype.toUTCString);
  var getUTCFullYear = call.bind(null, prototype.getUTCFullYear);
  var setUTCFullYear = call.bind(null, prototype.setUTCFullYear);
  var setTime = call.bind(null, prototype.setTime);
  var getUTCMonth = call.bind(null, prototype.getUTCMonth);
  var getUTCHours = call.bind(null, prototype.getUTCHours);
  var parseNative = Native.parse;
  var now = Native.now;
  var utc = Native.UTC;
  var trunc = Math.trunc;
  var toPrimitive = Symbol.toPrimitive;

  // ISO 8601 as the engine reads it; the groups are the time of day and the zone.
  var ISO = /^(?:\d{4}|[+-]\d{6})(?:-(?!00)\d\d){0,2}(T\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(Z|[+-]\d\d(?::?\d\d)?)?$/;
  var PARTS = /^(...), (\d+) (...) (-?\d+) (\d\d)(:\d\d:\d\d)/;

  function put(object, name, value) {
    defineProperty(object, name, { value: value, writable: true, configurable: true, enumerable: false });
  }

  // Replaces one of the language's own functions by one with the same name and number of parameters.
  function replace(object, name, does) {
    var method = { call() { return apply(does, this, arguments); } }.call;
    defineProperty(method, "name", { value: name, configurable: true });
    defineProperty(method, "length", { value: object[name].length, configurable: true });
    put(object, name, method);
  }

  // Without a zone the engine takes the machine's. ISO texts get one at their end; in all the
  // others a zone may stand anywhere, and of two the later one counts.
  function parse(value) {
    var given = text(value);
    var iso = matched(ISO, given);
    if (iso === null) return parseNative("Z " + given);
    return parseNative(iso[1] !== undefined && iso[2] === undefined ? given + "Z" : given);
  }

  function primitive(value) {
    if (value === null || typeof value !== "object" && typeof value !== "function") return value;
    var convert = value[toPrimitive];
    var result = value;
    if (convert !== undefined && convert !== null) {
      result = apply(convert, value, ["default"]);
    } else {
      if (typeof value.valueOf === "function") result = value.valueOf();
      if (typeof result === "object" && result !== null) result = value.toString();
    }
    if (typeof result === "object" && result !== null) throw new TypeError("toPrimitive");
    return result;
  }

  function millis(value) {
    if (isDate(value)) return getTime(value);
    value = primitive(value);
    return typeof value === "string" ? parse(value) : value;
  }

  function DateInUtc() {
    if (new.target === undefined) return toText(new Native());
    var count = arguments.length;
    var given = count === 0 ? now() : count === 1 ? millis(arguments[0]) : apply(utc, null, arguments);
    return construct(Native, [given], new.target);
  }

  defineProperty(DateInUtc, "name", { value: "Date", configurable: true });
  defineProperty(DateInUtc, "length", { value: Native.length, configurable: true });
  defineProperty(DateInUtc, "prototype", { value: prototype, writable: false });
  put(DateInUtc, "now", now);
  put(DateInUtc, "parse", Native.parse);
  put(DateInUtc, "UTC", utc);
  replace(DateInUtc, "parse", parse);
  put(prototype, "constructor", DateInUtc);
  put(globalThis, "Date", DateInUtc);

  ["Date", "Day", "FullYear", "Hours", "Milliseconds", "Minutes", "Month", "Seconds",
  ].forEach(function (field) {
    replace(prototype, "get" + field, prototype["getUTC" + field]);
    if (field !== "Day") replace(prototype, "set" + field, prototype["setUTC" + field]);
  });
  replace(prototype, "getTimezoneOffset", function () {
    var time = getTime(this);
    return time === time ? 0 : NaN;
  });
  replace(prototype, "getYear", function () { return getUTCFullYear(this) - 1900; });
  replace(prototype, "setYear", function (year) {
    year = trunc(year);
    if (year !== year) return setTime(this, year);
    return setUTCFullYear(this, year >= 0 && year < 100 ? year + 1900 : year);
  });

  // As the engine writes them on a machine in UTC.
  function written(date, write) {
    var parts = matched(PARTS, toUTCString(date));
    return parts === null ? "Invalid Date" : write(parts, date);
  }

  function day(parts) {
    return parts[1] + " " + parts[3] + " " + parts[2] + " " + parts[4];
  }

  function time(parts) {
    return parts[5] + parts[6] + " GMT+0000";
  }

  function localeDay(parts, date) {
    return two(getUTCMonth(date) + 1) + "/" + parts[2] + "/" + parts[4];
  }

  function localeTime(parts, date) {
    var hours = getUTCHours(date);
    return two((hours + 11) % 12 + 1) + parts[6] + (hours < 12 ? " AM" : " PM");
  }

  function two(number) {
    return (number < 10 ? "0" : "") + number;
  }

  function toText(date) {
    return written(date, function (parts) { return day(parts) + " " + time(parts); });
  }

  replace(prototype, "toString", function () { return toText(this); });
  replace(prototype, "toDateString", function () { return written(this, day); });
  replace(prototype, "toTimeString", function () { return written(this, time); });
  replace(prototype, "toLocaleDateString", function () { return written(this, localeDay); });
  replace(prototype, "toLocaleTimeString", function () { return written(this, localeTime); });
  replace(prototype, "toLocaleString", function () {
    return written(this, function (parts, date) {
      return localeDay(parts, date) + ", " + localeTime(parts, date);
    });
  });
})()

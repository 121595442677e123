/** Dates and times as Vietnamese people write them. */

const ZONE = "Asia/Ho_Chi_Minh"; // the bot's texts speak Vietnamese time, wherever the phone is
const LONG_DATE = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const SHORT_DATE = { day: "2-digit", month: "2-digit", year: "numeric" };
const TIME = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const WEEKDAY = { weekday: "long" };

const formats = new Map(); // making one is slow, and a long history asks for hundreds

function format(iso, options, locale) {
  const key = locale + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: ZONE }));
  return formats.get(key).format(new Date(iso));
}

const pageLocale = () => document.documentElement.lang;

/** "Thứ Bảy, 21 tháng 11, 2026" */
export const longDate = (iso) => format(iso, LONG_DATE, pageLocale());

/** "09:00" */
export const time = (iso) => format(iso, TIME, pageLocale());

// The demo is always Vietnamese.

/** "Thứ Bảy" */
export const weekday = (iso) => format(iso, WEEKDAY, "vi");

/** "21/11/2026" */
export const shortDate = (iso) => format(iso, SHORT_DATE, "vi");

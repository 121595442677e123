/** The page opens without a network too, where the browser allows it (https, or this very machine). */

navigator.serviceWorker?.register("/worker.js");

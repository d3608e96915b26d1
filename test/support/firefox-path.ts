import { existsSync } from 'node:fs';

const USUAL = [
  '/usr/bin/firefox',
  '/usr/bin/firefox-esr',
  '/usr/lib64/firefox/firefox',
  '/snap/firefox/current/usr/lib/firefox/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
  'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
];

/** The path of Firefox if it is installed; FIREFOX_PATH has priority. */
export const FIREFOX: string | undefined = [process.env['FIREFOX_PATH'], ...USUAL].find(
  path => path && existsSync(path),
);

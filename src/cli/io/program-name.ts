/** How the user started this program, so that the commands in its messages can be typed as they are shown. */

const NAME = 'pushdown';
let name = NAME;

/** Sets the words that start the program, such as `npx pushdown`. */
export function setProgramName(words: string): void {
  name = words;
}

/** Replaces `pushdown` in every command in a text with the words that start the program. */
export const withProgramName = (text: string): string =>
  text.replace(
    /(?<![\w./-])pushdown (?=(?:train|eval|predict|trace|table|memory|presets|gallery|devices|doctor|<command>)(?![\w-]))/g,
    `${name} `,
  );

/**
 * `npx pushdown` if npx or an npm script started the program, or if it is in node_modules/.bin, which is not on the
 * PATH; the equivalent for another package manager; otherwise `pushdown`.
 * @param script process.argv[1]
 */
export function nameOf(env: Readonly<Record<string, string | undefined>>, script = ''): string {
  const local = /[\\/]node_modules[\\/]\.bin[\\/]/.test(script);
  // On Windows, npm puts scripts instead of links in .bin: there `script` is the package's own file.
  const linked = local || /[\\/]node_modules[\\/]pushdown[\\/]/.test(script);
  const scripted = /\bdist\/src\/cli\/main\.js\b/.test(env['npm_lifecycle_script'] ?? '');
  if (!(local || scripted || (linked && env['npm_command'] === 'exec'))) return NAME;
  const agent = /^(pnpm|yarn)\//.exec(env['npm_config_user_agent'] ?? '')?.[1];
  return { pnpm: `pnpm exec ${NAME}`, yarn: `yarn ${NAME}` }[agent ?? ''] ?? `npx ${NAME}`;
}

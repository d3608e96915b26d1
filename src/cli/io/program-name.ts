/** How this program was started, so that the commands it advises can be typed as they are. */

const NAME = 'pushdown';
let name = NAME;

/** What starts the program: in the words of `npx pushdown train`, all before `train`. */
export function startedAs(of: string): void {
  name = of;
}

/** Every command in a text, `pushdown train …`, as it is to be typed. */
export const asStarted = (text: string): string =>
  text.replace(
    /(?<![\w./-])pushdown (?=(?:train|eval|predict|trace|table|memory|presets|gallery|devices|<command>)(?![\w-]))/g,
    `${name} `,
  );

/**
 * `npx pushdown` where npx, or a script of npm, started it, or where it is in node_modules/.bin, which is on nobody's path;
 * with another package manager, in its way. `pushdown` otherwise.
 * @param script process.argv[1]
 */
export function nameOf(env: Readonly<Record<string, string | undefined>>, script = ''): string {
  const local = /[\\/]node_modules[\\/]\.bin[\\/]/.test(script);
  // Windows has no links: there the script is that of the package.
  const linked = local || /[\\/]node_modules[\\/]pushdown[\\/]/.test(script);
  const scripted = /\bdist\/src\/cli\/main\.js\b/.test(env['npm_lifecycle_script'] ?? '');
  if (!(local || scripted || (linked && env['npm_command'] === 'exec'))) return NAME;
  const agent = /^(pnpm|yarn)\//.exec(env['npm_config_user_agent'] ?? '')?.[1];
  return { pnpm: `pnpm exec ${NAME}`, yarn: `yarn ${NAME}` }[agent ?? ''] ?? `npx ${NAME}`;
}

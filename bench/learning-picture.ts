import { writeFile } from 'node:fs/promises';
import { assign } from '../src/base/config.ts';
import { openEngine } from '../src/platform/node/engine.ts';
import { round, textAt } from '../src/plot/svg.ts';
import { type TraceStep, trace } from '../src/train/evaluate.ts';
import { preset } from '../src/train/presets.ts';
import { Trainer } from '../src/train/trainer.ts';
import { readWeights } from '../src/web/memory/weights.ts';

/**
 * Draws docs/images/learning.svg, the animation in the README: the memory over one sequence while the `reverse`
 * preset trains. Every frame is a trace of the model at that training step, with the correct symbols as its inputs.
 *
 *   node bench/run.mjs bench/learning-picture.ts
 */

const FILE = 'docs/images/learning.svg';
const SOURCE = [2, 6, 7, 5, 4, 3];
const [EVERY, LAST] = [25, 600];
/** Seconds for which a frame and the last frame of the loop are shown. */
const [FRAME, LAST_FRAME] = [0.4, 4];

const [WIDTH, LEFT, TOP, COLUMN, ROW, BAR, GAP] = [720, 76, 44, 45, 17, 24, 6];

interface Frame {
  step: number;
  loss: number;
  steps: TraceStep[];
}

async function frames(): Promise<Frame[]> {
  const engine = await openEngine('cpu');
  const trainer = await Trainer.start(engine, assign(preset('reverse'), [`reportEvery=${EVERY}`]));
  const recorded: Frame[] = [];
  for (;;) {
    const { step, loss } = trainer.progress;
    if (step % EVERY === 0) {
      const steps = await trainer.betweenSteps((model, task) =>
        trace(model, task, SOURCE, task.targetOf!(SOURCE)),
      );
      recorded.push({ step, loss, steps });
    }
    if (step === LAST) break;
    await trainer.singleStep();
  }
  engine.destroy();
  return recorded;
}

/** The start of each frame as a share of the loop, and 1 for the end. */
const startsOf = (count: number): number[] => {
  const seconds = (count - 1) * FRAME + LAST_FRAME;
  return Array.from({ length: count + 1 }, (_, k) => (k === count ? 1 : (k * FRAME) / seconds));
};

class Animation {
  readonly #css: string[] = [];
  readonly #seconds: number;
  readonly #at: string[];

  constructor(count: number) {
    this.#seconds = round((count - 1) * FRAME + LAST_FRAME);
    this.#at = startsOf(count).map(share => `${round(1000 * share) / 10}%`);
  }

  /**
   * The `style` attribute that gives an element these values of a property,
   * one per frame. If the user prefers reduced motion, it has the last value.
   * @param sudden whether the value jumps from frame to frame; otherwise it changes gradually
   */
  of(property: string, values: readonly (number | string)[], sudden = false): string {
    const last = values.at(-1);
    if (values.every(value => value === last)) return `style="${property}:${last}"`;
    const name = `k${this.#css.length}`;
    // A value equal to both its neighbours needs no key. The last of
    // several equal values needs one, because the change starts there.
    const keys = values.flatMap((value, k) =>
      value === values[k - 1] && value === values[k + 1] ? [] : [`${this.#at[k]}{${property}:${value}}`],
    );
    this.#css.push(`@keyframes ${name}{${keys.join('')}100%{${property}:${last}}}`);
    const how = sudden ? 'step-end' : 'linear';
    return `style="${property}:${last};animation:${name} ${this.#seconds}s ${how} infinite"`;
  }

  get css(): string {
    return this.#css.join('\n');
  }
}

/** A text that changes from frame to frame: one element per text, visible in its frames. */
function changing(
  animation: Animation,
  x: number,
  y: number,
  texts: readonly string[],
  more: string,
): string {
  return [...new Set(texts)]
    .map(text => {
      const seen = texts.map(now => (now === text ? 'visible' : 'hidden'));
      return textAt(x, y, text, `${more} ${animation.of('visibility', seen, true)}`);
    })
    .join('');
}

function draw(all: Frame[]): string {
  const animation = new Animation(all.length);
  const { steps } = all.at(-1)!;
  const T = steps.length;
  const bottom = TOP + T * ROW;
  const middle = 'text-anchor="middle"';
  const [push, pop] = [bottom + ROW + GAP, bottom + ROW + BAR + 2 * GAP];
  const [outputLine, targetLine] = [pop + BAR + 18, pop + BAR + 34];
  const labels = [
    ...[...steps.keys()].map(i => [bottom - i * ROW - 5, steps[i].input] as const),
    ...([
      [bottom + 15, 'input'],
      [push + 16, 'push'],
      [pop + 16, 'pop'],
      [outputLine, 'output'],
    ] as const),
    [targetLine, 'target'] as const,
  ].map(([y, text]) => textAt(LEFT - 8, y, text, 'text-anchor="end" class="label"'));

  const columns = steps.map((_, t) => {
    const x = LEFT + t * COLUMN;
    const at = all.map(({ steps }) => steps[t]);
    const rows = Array.from({ length: t + 1 }, (_, i) => {
      const strengths = at.map(({ strengths }) => round(10 * strengths[0][i]) / 10);
      const read = at.map(({ strengths }) => round(10 * readWeights('stack', 0, strengths[0])[i]) / 10);
      const [y, size] = [bottom - (i + 1) * ROW, `width="${COLUMN - 2}" height="${ROW - 2}"`];
      const cell = `<rect class="row" x="${x + 1}" y="${y + 1}" ${size} ${animation.of('opacity', strengths)}/>`;
      const outline = read.some(weight => weight >= 0.1)
        ? `<rect class="read" x="${x + 2}" y="${y + 2}" width="${COLUMN - 4}" height="${ROW - 4}" ${animation.of('opacity', read)}/>`
        : '';
      return cell + outline;
    });
    const bars = (['push', 'pop'] as const).map((control, k) => {
      const scale = at.map(({ controls }) => `scaleY(${round(10 * controls[control][0]) / 10})`);
      const y = [push, pop][k];
      return (
        `<rect class="ground" x="${x + 2}" y="${y}" width="${COLUMN - 4}" height="${BAR}"/>` +
        `<rect class="${control}" x="${x + 2}" y="${y}" width="${COLUMN - 4}" height="${BAR}" ${animation.of('transform', scale)}/>`
      );
    });
    const centre = x + COLUMN / 2;
    const { target, input } = steps[t];
    const hasTarget = target !== '·';
    const answers = at.map(({ output }) => (hasTarget ? output : '·'));
    return [
      ...rows,
      textAt(centre, bottom + 15, input, middle),
      ...bars,
      ...[true, false].map(good =>
        changing(
          animation,
          centre,
          outputLine,
          answers.map(answer => ((answer === target) === good ? answer : '')),
          `${middle} class="${!hasTarget ? 'label' : good ? 'good' : 'bad'}"`,
        ),
      ),
      textAt(centre, targetLine, target, `${middle} class="label"`),
    ].join('\n');
  });

  const titles = all.map(({ step, loss }) =>
    step === 0 ? 'not trained yet' : `training step ${step} · loss ${loss.toFixed(3)}`,
  );
  const title = changing(animation, 16, 24, titles, 'class="title"');
  const height = targetLine + 14;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>The strengths of a neural stack over one sequence, while it learns to reverse</title>
<style>
svg{font:13px system-ui,sans-serif;background:#fff}text{fill:#1d2429}.label{fill:#59646c}.title{font-size:15px;font-weight:600}
.page{fill:#fff}.ground{fill:#eef1f3}.row{fill:#08488a}.read{fill:none;stroke:#e69f00;stroke-width:2.5}.push{fill:#0072b2}.pop{fill:#c2510a}
.push,.pop{transform-box:fill-box;transform-origin:bottom}.good{fill:#00664b;font-weight:600}.bad{fill:#b3261e}
@media (prefers-color-scheme:dark){svg{background:#1b2126}text{fill:#e5e9eb}.label{fill:#9ba6ad}
.page{fill:#1b2126}.ground{fill:#262e34}.row{fill:#9ad2ff}.push{fill:#56b4e9}.pop{fill:#f0a04b}.good{fill:#5ad1a5}.bad{fill:#ff8f85}}
@media (prefers-reduced-motion:no-preference){
${animation.css}
}
</style>
<rect class="page" width="${WIDTH}" height="${height}"/>
${title}
${textAt(WIDTH - 14, 24, 'shade: strength · outline: read', 'text-anchor="end" class="label"')}
${labels.join('\n')}
${columns.join('\n')}
</svg>
`;
}

export async function main(): Promise<number> {
  const all = await frames();
  const svg = draw(all);
  await writeFile(FILE, svg);
  console.log(`${FILE}: ${all.length} frames, ${Math.round(svg.length / 1000)} kB`);
  return 0;
}

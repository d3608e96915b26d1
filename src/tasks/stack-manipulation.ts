import type { TaskConfig } from '../base/config.ts';
import { answering, digitNames } from './answering.ts';
import { randomSource, type Task } from './task.ts';

/**
 * Stack manipulation, from Delétang et al. 2023 (deterministic context-free; see answering.ts for the format). The
 * source is the content of a stack, bottom first, followed by actions on it. The target is the resulting stack, top
 * first, followed by `end`. Popping an empty stack has no effect. Sources of any length ≥ 1, up to L + 1 outputs. The
 * authors use 2 symbols:
 *
 *   task    stack-manipulation
 *   source  0 1 push0 pop push1
 *   input   0  1  push0  pop  push1  ?  ?  ?  ?
 *   target  ·  ·  ·      ·    ·      1  1  0  end
 *   phase   r  r  r      r    r      w  w  w  .
 *
 * The stack starts with 1 … L − 1 symbols (1 if L is 1), and all actions are equally likely. Loss and metrics are over
 * the output steps up to `end`. (The authors' sequences continue after `end` with steps that do not count.)
 */
export function stackManipulation({ name, symbols }: TaskConfig): Task {
  const values = digitNames(symbols);
  const pop = symbols;
  const firstPush = symbols + 1;
  return answering({
    name,
    symbolNames: [...values, 'pop', ...values.map(value => `push${value}`)],
    outputNames: [...values, 'end'],
    example: `${values[0]} ${values[1 % symbols]} push${values[0]} pop pop`,
    source: (rng, length) => {
      const height = length === 1 ? 1 : rng.int(1, length - 1);
      const actions = Array.from({ length: length - height }, () => rng.int(pop, pop + symbols));
      return [...randomSource(symbols, rng, height), ...actions];
    },
    targetOf: source => {
      const stack: number[] = [];
      let inActions = false;
      for (const symbol of source) {
        if (symbol < symbols && inActions) return undefined;
        inActions ||= symbol >= symbols;
        if (symbol === pop) stack.pop();
        else stack.push(symbol < symbols ? symbol : symbol - firstPush);
      }
      return [...stack.reverse(), symbols];
    },
    longestTarget: length => length + 1,
  });
}

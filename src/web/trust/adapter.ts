import { BEST, engineLine } from '../../platform/names.ts';
import { byId, make, write, writeOrHide } from '../dom.ts';
import { bytes, count } from '../format.ts';
import { isLoadFailure, RELOAD_ADVICE } from '../load-failure.ts';
import type { Opened } from '../protocol.ts';
import { adviceFor } from './advice.ts';

/** Shows the engine and its device in one line, and all details of the adapter. */
export function showAdapter(run: Opened): void {
  const { engine, adapter, details, parameters, plan, noGpu } = run;
  const sizes = `${count(parameters)} parameters · plan ${plan} · ${bytes(run.bytes)} on the device`;
  write(byId('adapter', HTMLElement), `${engineLine({ name: engine, adapter })} · ${sizes}`);
  const summary =
    engine !== BEST
      ? `Runs on the CPU (${adapter.name})`
      : `${adapter.kind === 'software' ? 'Runs on WebGPU in software' : 'Runs on the GPU'} (${adapter.name})`;
  const fellBack = engine !== BEST && noGpu;
  write(
    byId('computed', HTMLElement),
    `${summary}${fellBack ? '. No GPU is used: why, and what to do' : ''}`,
  );
  const advice = isLoadFailure(noGpu)
    ? RELOAD_ADVICE
    : adviceFor(navigator.userAgent, isSecureContext, 'gpu' in navigator);
  writeOrHide(
    byId('notice', HTMLElement),
    noGpu && `Why no GPU is used: ${noGpu}. Training runs on the CPU. ${advice}`,
  );
  const facts = byId('adapter-facts', HTMLElement);
  if (!details) {
    facts.replaceChildren(...fact('Engine', `${adapter.name}, on the CPU: no WebGPU adapter is used`));
    return;
  }
  const { info, fallback, features, limits } = details;
  facts.replaceChildren(
    ...Object.entries(info).flatMap(([name, value]) => fact(name, value || '–')),
    ...fact('fallback adapter', fallback ? 'yes, computed in software' : 'no'),
    ...fact('features', features.join(', ') || 'none'),
    ...Object.entries(limits)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, value]) =>
        fact(name, /Size$/.test(name) && value >= 1024 ? bytes(value) : count(value)),
      ),
  );
}

const fact = (name: string, value: string): HTMLElement[] => [make('dt', {}, name), make('dd', {}, value)];

import { InputError, messageOf } from '../../base/errors.ts';
import type { App, CurrentRun } from '../app.ts';
import type { Charts } from '../charts/charts.ts';
import { toCsv } from '../charts/history.ts';
import { pictureOf } from '../charts/picture.ts';
import { byId, download, write, writeOrHide } from '../dom.ts';
import { toAddress } from '../settings/address.ts';
import { describeConfig } from '../settings/differences.ts';
import type { RunStorage } from './run-storage.ts';

/** The buttons that export a run's charts, checkpoint, settings and link. */
export class Exports {
  readonly #app: App;
  readonly #storage: RunStorage;

  constructor(app: App, storage: RunStorage, charts: Charts) {
    this.#app = app;
    this.#storage = storage;
    this.#on('save-csv', async ({ record, history }) =>
      download(fileName(record, '.csv'), new Blob([toCsv(history)], { type: 'text/csv' })),
    );
    this.#on('save-json', async ({ run, record, history }) => {
      const { engine, adapter } = run.opened;
      download(fileName(record, '.json'), json({ config: record.config, engine, adapter, history }));
    });
    this.#on('save-png', async ({ record }) =>
      download(fileName(record, '.png'), await pictureOf(charts.drawn, describeConfig(record.config))),
    );
    this.#on('save-checkpoint', current => this.#checkpoint(current));
    this.#on('save-config', async ({ record }) =>
      download(fileName(record, '-config.json'), json(record.config)),
    );
    this.#on('copy-link', async ({ record: { config, engine } }) => {
      const link = new URL(toAddress({ config, engine, paused: false }), location.href).href;
      const copied = await navigator.clipboard?.writeText(link).then(
        () => true,
        () => false,
      );
      write(
        byId('keep-status', HTMLElement),
        copied ? 'Copied.' : 'Could not copy: use the address of this page.',
      );
    });
  }

  /** Downloads the checkpoint of a run: the current run as it is now, another run as stored. */
  checkpoint(id: string): Promise<void> {
    return reportingErrors(async () => {
      const { current } = this.#app;
      if (id === current?.record.id && !current.run.ended) return this.#checkpoint(current);
      const [bytes, run] = await Promise.all([this.#storage.checkpoint(id), this.#storage.run(id)]);
      if (!bytes || !run) throw new InputError('this run is no longer stored in this browser.');
      downloadCheckpoint(bytes, run, run.step);
    });
  }

  async #checkpoint({ run, record }: CurrentRun): Promise<void> {
    // A failed run does not answer; its last checkpoint is in the browser's storage.
    if (run.ended) return this.checkpoint(record.id);
    const { bytes, step } = await run.ask('checkpoint', {});
    downloadCheckpoint(bytes, record, step);
  }

  #on(id: string, work: (current: CurrentRun) => Promise<void>): void {
    byId(id, HTMLButtonElement).addEventListener('click', () => {
      const { current } = this.#app;
      if (current) reportingErrors(() => work(current));
    });
  }
}

type WithConfig = Pick<CurrentRun['record'], 'config'>;

/** A file name of letters, digits, `_`, `.` and `-`, which is valid on every system. */
const fileName = ({ config }: WithConfig, ending: string): string =>
  `pushdown-${describeConfig(config).replace(/[^\w.-]+/g, '-')}${ending}`;

const json = (value: unknown): Blob =>
  new Blob([`${JSON.stringify(value, null, 2)}\n`], { type: 'application/json' });

const downloadCheckpoint = (bytes: Uint8Array, run: WithConfig, step: number): void =>
  download(
    fileName(run, `-step${step}.safetensors`),
    new Blob([bytes as BlobPart], { type: 'application/octet-stream' }),
  );

/** Runs `work`. If it fails, shows the error below the buttons; if it succeeds, clears an earlier error. */
const reportingErrors = (work: () => Promise<void>): Promise<void> =>
  work().then(
    () => writeOrHide(byId('file-problem', HTMLElement), undefined),
    error => writeOrHide(byId('file-problem', HTMLElement), messageOf(error)),
  );

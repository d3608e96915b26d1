import { describe, expect, test } from 'vitest';
import { pushdown } from '../../support/terminal.ts';

describe('help', () => {
  test('exists for the tool and for every command; --version prints the version', async () => {
    const all = await pushdown(['--help']);
    expect(all.code).toBe(0);
    for (const name of [
      'train',
      'eval',
      'predict',
      'trace',
      'table',
      'memory',
      'presets',
      'devices',
      'gallery',
      'doctor',
    ]) {
      expect(all.out).toContain(`  ${name} `);
      for (const argv of [
        [name, '--help'],
        ['help', name],
      ]) {
        const { code, out, err } = await pushdown(argv);
        expect([code, err]).toEqual([0, '']);
        expect(out.startsWith(`pushdown ${name}`)).toBe(true);
      }
    }
    expect((await pushdown(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    const none = await pushdown([]);
    expect([none.code, none.out]).toEqual([2, '']);
  });

  test('presets lists presets with their sizes and times, and --keys lists settings', async () => {
    expect((await pushdown(['presets'])).out).toMatch(/^preset[\s\S]*\nreverse +reverse +\d+/);
    const paper = (await pushdown(['presets', 'paper/reverse'])).out;
    expect(paper).toMatch(/\npaper\/reverse\/stack +reverse +[\d,]+ +\d+ MB +\d+ min +a neural stack/);
    expect(paper).not.toContain('small/');
    // The time is null if the speed was not measured.
    const [measured] = JSON.parse((await pushdown(['presets', 'small/copy/queue', '--json'])).out);
    expect(measured).toMatchObject({ name: 'small/copy/queue', task: 'copy' });
    expect(measured.seconds).toBeGreaterThan(1);
    const [unmeasured] = JSON.parse((await pushdown(['presets', 'tutorial-part6', '--json'])).out);
    expect(unmeasured.seconds).toBeNull();
    expect((await pushdown(['presets', '--keys'])).out).toMatch(/\nmodel\.hidden +32 +1 … 4096/);
  });
});

import { describe, expect, it } from 'vitest';
import { Capture, findingsOf } from '../../support/wire.js';

const A = '02:00:00:00:00:01';
const file = () => new Capture().ask(A, '10.0.0.1', '10.0.0.2').at(1).ask(A, '10.0.0.1', '10.0.0.3').file();

describe('capture/damaged-file', () => {
  it('warns of a file that ends inside a block, and says where', async () => {
    const [finding, ...others] = await findingsOf(file().subarray(0, -20));
    expect(others).toEqual([]);
    expect([finding.rule, finding.severity, finding.confidence]).toEqual([
      'capture/damaged-file',
      'warning',
      'certain',
    ]);
    expect(finding.summary).toMatch(/^1 frame of .* was read .* at byte \d+/);
  });

  it('has no times to tell where no frame could be read', async () => {
    const [finding] = await findingsOf(file().subarray(0, 70));
    expect([finding.rule, finding.first, finding.last]).toEqual(['capture/damaged-file', null, null]);
  });

  it('keeps still about a whole file', async () => {
    expect(await findingsOf(file())).toEqual([]);
  });
});

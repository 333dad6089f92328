import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Stands for iproute2 where a container ends while it is asked: there is nothing to enter any more, or half of the answers is missing. */
const IP = `#!/bin/sh
case "$*" in
'netns list') echo half ;;
'netns exec half '*) printf '"ip -d -j link": [' ; exit 1 ;;
netns*) exit 1 ;;
*) echo '[]' ;;
esac
`;

it('leaves out a namespace that ends while scripts/host-context.sh asks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netdiag-'));
  try {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), 0o755);
    };
    write('ip', IP);
    write('stat', '#!/bin/sh\necho 1\n');
    write('nsenter', '#!/bin/sh\nexit 1\n');
    const options = { encoding: 'utf8', env: { ...process.env, PATH: `${folder}:${process.env.PATH}` } } as const;
    const said = JSON.parse(execFileSync('sh', ['scripts/host-context.sh'], { ...options, maxBuffer: 1 << 26 }));
    expect(Object.keys(said.namespaces)).not.toContain('half');
    expect(Object.keys(said.namespaces).length).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

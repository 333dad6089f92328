import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { root } from '../support/fixtures.js';
import { netdiag, program } from '../support/netdiag.js';
import { ip, mac } from '../support/wire.js';
import { Lab, Session, sleep, whyNot } from './lab.js';

const folder = mkdtempSync(join(tmpdir(), 'netdiag-live-'));
let lab = new Lab();

afterEach(() => {
  lab.remove();
  lab = new Lab();
});

/** Asks for an address until the kernel gives up: three requests, a second apart. */
async function askInVain(from: string, to: string): Promise<void> {
  for (let i = 0; i < 4; i++) {
    lab.send(from, to);
    await sleep(1000);
  }
}

const graveOf = ({ findings }: Session) =>
  findings.filter(({ severity, confidence }) => severity !== 'info' && confidence !== 'hint').map(({ rule }) => rule);

describe.skipIf(whyNot !== null)(`live${whyNot === null ? '' : ` (skipped: ${whyNot})`}`, () => {
  it('tells VEPA without a relay within 5 s of the first request, with cures for these devices', async () => {
    lab.macvlans('vepa', 'off');
    const session = await new Session(['ens34', '--netns', lab.name('host')]).ready();
    void askInVain('ns01', '10.9.0.102');
    const finding = await session.finding('macvlan/vepa-no-reflection', 'certain');
    expect(finding.at - Date.parse(finding.first ?? '')).toBeLessThan(5000);
    const commands = finding.remedy.flatMap((each) => each.commands).join('\n');
    expect(commands).toContain(`ip netns exec ${lab.name('ns01')} ip link set macvlan1 type macvlan mode bridge`);
    expect(finding.segment.interface).toBe('ens34');
    expect(await session.end()).toBe(1);
  });

  it('finds nothing wrong once the switch reflects, and says that it does', async () => {
    lab.macvlans('vepa', 'on');
    await lab.listen('ns02');
    const session = await new Session(['ens34', '--netns', lab.name('host')]).ready();
    for (let i = 0; i < 4; i++) {
      lab.send('ns01', '10.9.0.102');
      await sleep(300);
    }
    await sleep(2500);
    expect(await session.end()).toBe(0);
    expect(session.findings.map(({ rule }) => rule)).toContain('ethernet/reflection');
    expect(graveOf(session)).toEqual([]);
  });

  it('knows that a macvlan child and its parent do not hear each other', async () => {
    lab.macvlans('bridge', 'off');
    const session = await new Session(['ens34', '--netns', lab.name('host')]).ready();
    void askInVain('host', '10.9.0.101');
    await session.finding('macvlan/host-isolation');
    expect(await session.end()).toBe(1);
  });

  it('tells an address that two hosts hold', async () => {
    lab.namespaces('sw', 'a', 'b', 'c').bridge('sw', 'br0');
    for (const each of ['a', 'b', 'c']) {
      lab.cable(each, 'eth0', 'sw', `p-${each}`).ip('sw', `link set p-${each} master br0`);
      lab.address(each, 'eth0', each === 'c' ? '10.9.0.3/24' : '10.9.0.1/24');
    }
    const session = await new Session(['eth0', '--netns', lab.name('c')]).ready();
    for (let i = 0; i < 4; i++) {
      lab.send('c', '10.9.0.1');
      await sleep(400);
      lab.ip('c', 'neigh flush all');
    }
    await session.finding('arp/duplicate-address');
    expect(await session.end()).toBe(1);
  });

  it('tells a bridge loop, and stays alive in it', async () => {
    lab.namespaces('one', 'two').bridge('one', 'br0').bridge('two', 'br0');
    for (const i of [1, 2]) {
      lab.cable('one', `c${i}`, 'two', `d${i}`);
      lab.exec(
        'one',
        'tc',
        'qdisc',
        'add',
        'dev',
        `c${i}`,
        'root',
        'tbf',
        'rate',
        '2mbit',
        'burst',
        '4k',
        'limit',
        '4k',
      );
      lab.ip('one', `link set c${i} master br0`).ip('two', `link set d${i} master br0`);
    }
    lab.address('one', 'br0', '10.9.0.1/24');
    const session = await new Session(['c1', '--netns', lab.name('one')]).ready();
    lab.send('one', '10.9.0.99');
    await session.finding('bridge/loop');
    lab.ip('one', 'link set c2 down');
    expect(await session.end()).toBe(1);
  });

  for (const [rule, one, two] of [
    ['vxlan/port-mismatch', 'id 42 dstport 4789', 'id 42 dstport 8472'],
    ['vxlan/vni-mismatch', 'id 42 dstport 4789', 'id 43 dstport 4789'],
  ]) {
    it(`tells ${rule}`, async () => {
      lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0');
      lab.address('one', 'eth0', '192.0.2.1/24').address('two', 'eth0', '192.0.2.2/24');
      lab.ip('one', `link add vx0 type vxlan ${one} local 192.0.2.1 remote 192.0.2.2 dev eth0`);
      lab.ip('two', `link add vx0 type vxlan ${two} local 192.0.2.2 remote 192.0.2.1 dev eth0`);
      for (const [i, each] of ['one', 'two'].entries())
        lab.address(each, 'vx0', `10.9.0.${i + 1}/24`).ip(each, 'link set vx0 up');
      const session = await new Session(['eth0', '--netns', lab.name('one')]).ready();
      void askInVain('one', '10.9.0.2');
      void askInVain('two', '10.9.0.1');
      await session.finding(rule);
      expect(await session.end()).toBe(1);
    });
  }

  it('finds nothing in healthy traffic', async () => {
    lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0');
    lab.address('one', 'eth0', '10.9.0.1/24').address('two', 'eth0', '10.9.0.2/24');
    await lab.listen('two');
    const session = await new Session(['eth0', '--netns', lab.name('one')]).ready();
    for (let i = 0; i < 5; i++) {
      lab.send('one', '10.9.0.2');
      await sleep(300);
    }
    expect(await session.end()).toBe(0);
    expect(graveOf(session)).toEqual([]);
  });

  it('writes what it captured, with its context: analysed again it gives the same findings', async () => {
    lab.macvlans('vepa', 'off');
    const file = join(folder, 'vepa.pcapng');
    const session = await new Session(['ens34', '--netns', lab.name('host'), '-w', file]).ready();
    void askInVain('ns01', '10.9.0.102');
    const live = await session.finding('macvlan/vepa-no-reflection', 'certain');
    await session.end();
    const { stdout } = await netdiag(['analyze', file, '--format', 'json']);
    const { findings, captures } = JSON.parse(stdout);
    expect(captures[0]).toMatchObject({ directions: 'all', dropped: 0, complete: true });
    expect(findings[0]).toMatchObject({ rule: live.rule, confidence: 'certain', title: live.title });
    expect(findings[0].remedy).toEqual(live.remedy);
    const fields = ['-T', 'fields', '-e', 'frame.interface_name', '-e', 'frame.packet_flags_direction'];
    const { stdout: seen, stderr } = spawnSync('tshark', ['-r', file, ...fields], { encoding: 'utf8' });
    expect(stderr).not.toMatch(/malformed|corrupt|cut short/i);
    expect(seen).toMatch(/^ens34\s+0x0*2$/m);
  });

  it('leaves a file that can be read when it is killed', async () => {
    lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0').address('one', 'eth0', '10.9.0.1/24');
    const file = join(folder, 'killed.pcapng');
    const session = await new Session(['eth0', '--netns', lab.name('one'), '-w', file]).ready();
    lab.send('one', '10.9.0.2');
    await sleep(1500);
    await session.end('SIGKILL');
    const { status, stderr } = spawnSync('capinfos', ['-c', file], { encoding: 'utf8' });
    expect([status, stderr.replace(/^Running as user.*\n/m, '')]).toEqual([0, '']);
    const { stdout } = await netdiag(['frames', file]);
    expect(stdout).toContain('who-has 10.9.0.2');
  });

  it('puts the tag of a VLAN frame back', async () => {
    lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0');
    const file = join(folder, 'vlan.pcapng');
    const session = await new Session(['eth0', '--netns', lab.name('two'), '-w', file, '-f', 'vlan 10']).ready();
    const arp = [
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      1,
      ...mac('02:00:00:00:00:01'),
      ...ip('10.9.0.1'),
      0,
      0,
      0,
      0,
      0,
      0,
      ...ip('10.9.0.2'),
    ];
    const link = [...mac('ff:ff:ff:ff:ff:ff'), ...mac('02:00:00:00:00:01')];
    for (const id of [10, 11]) lab.sendRaw('one', 'eth0', [...link, 0x81, 0, 0x60, id, 8, 6, ...arp]);
    await sleep(800);
    await session.end();
    const { stdout } = await netdiag(['frames', file, '--format', 'ndjson']);
    const frames = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(frames).toHaveLength(1);
    expect(frames[0].layers[1]).toMatchObject({ protocol: 'vlan', id: 10, priority: 3, tpid: 0x8100 });
    expect(frames[0].layers[2]).toMatchObject({ protocol: 'arp', targetIp: '10.9.0.2' });
    expect(frames[0]).toMatchObject({ capturedLength: 46, wireLength: 46 });
  });

  it('captures what the filter lets through, as many as asked for', async () => {
    lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0');
    lab.address('one', 'eth0', '10.9.0.1/24').address('two', 'eth0', '10.9.0.2/24');
    const file = join(folder, 'filtered.pcapng');
    const session = await new Session([
      'eth0',
      '--netns',
      lab.name('one'),
      '-w',
      file,
      '-f',
      'udp port 7',
      '-c',
      '2',
    ]).ready();
    for (const port of [7, 9, 7, 9, 7]) lab.send('one', '10.9.0.2', port);
    expect(await session.exit()).toBe(0);
    const { stdout } = await netdiag(['frames', file, '--format', 'ndjson']);
    const ports = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).layers.at(-2).destinationPort);
    expect(ports).toEqual([7, 7]);
  });

  it('goes on when its device was down, and ends with what it has when the device is deleted', async () => {
    lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0').address('one', 'eth0', '10.9.0.1/24');
    const file = join(folder, 'down.pcapng');
    const session = await new Session(['eth0', '--netns', lab.name('one'), '-w', file]).ready();
    lab.ip('one', 'link set eth0 down');
    await sleep(800);
    lab.ip('one', 'link set eth0 up');
    await sleep(300);
    lab.send('one', '10.9.0.2');
    await sleep(500);
    lab.ip('one', 'link del eth0');
    expect(await session.exit()).toBe(0);
    expect(session.stderr).toContain('eth0');
    expect(session.stderr).toContain('is down');
    expect(session.stderr).toContain('was deleted');
    expect((await netdiag(['frames', file])).stdout).toContain('who-has 10.9.0.2');
  });

  it('reads a stream of tcpdump and notices silence while it lasts', async () => {
    lab.macvlans('vepa', 'off');
    const tcpdump = spawn('ip', [
      'netns',
      'exec',
      lab.name('host'),
      'tcpdump',
      '-i',
      'ens34',
      '-U',
      '--immediate-mode',
      '-w',
      '-',
    ]);
    const session = new Session(['-']);
    tcpdump.stdout.pipe(session.input);
    await session.ready();
    void askInVain('ns01', '10.9.0.102');
    const finding = await session.finding('arp/unanswered');
    expect(finding.at - Date.parse(finding.last ?? '')).toBeLessThan(3000);
    tcpdump.kill();
    await session.exit();
  });

  it('says which permission is missing', () => {
    lab.namespaces('one');
    const { status, stderr } = spawnSync(
      'setpriv',
      ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, program, 'live', 'lo'],
      {
        encoding: 'utf8',
      },
    );
    expect(status).toBe(2);
    expect(stderr).toMatch(/^netdiag: lo: no permission to capture: needs CAP_NET_RAW; .+\n$/);
  });

  it('says that filters need libpcap, and does without it otherwise', () => {
    const hidden = ['-name "libpcap.so*"', '2>/dev/null'];
    const hide = `for f in $(find /lib /usr/lib ${hidden.join(' ')}); do mount --bind /dev/null "$f"; done`;
    const analyze = (filter: string) => {
      const command = `${hide}; exec "$0" "$1" analyze --fail-on never fixtures/demo/vepa.pcap ${filter}`;
      return spawnSync('unshare', ['-m', 'sh', '-c', command, process.execPath, program], {
        encoding: 'utf8',
        cwd: root,
      });
    };
    expect(analyze('-f arp')).toMatchObject({
      status: 2,
      stderr: 'netdiag: --filter "arp": needs libpcap: install it (Debian: libpcap0.8), or leave the filter away\n',
    });
    expect(analyze('').status).toBe(0);
  });

  it('lists interfaces with their kind, mode and hairpin, in all namespaces', async () => {
    lab.macvlans('vepa', 'on');
    const { stdout, status } = await netdiag(['interfaces', '--format', 'json']);
    expect(status).toBe(0);
    const { permission, interfaces } = JSON.parse(stdout);
    expect(permission).toBe(true);
    const kindOf = (namespace: string, name: string) =>
      interfaces.find(
        (each: { namespace: string; name: string }) => each.namespace === lab.name(namespace) && each.name === name,
      )?.kind;
    expect(kindOf('ns01', 'macvlan1')).toBe(`macvlan vepa, on ens34 in ${lab.name('host')}`);
    expect(kindOf('sw', 'p-host')).toContain('port of bridge br0, hairpin on');
  });

  it('names the nearest device where there is none of that name', async () => {
    const { status, stderr } = await netdiag(['live', 'l']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^netdiag: l: no such interface: did you mean lo\?/);
  });

  it('captures all devices of a namespace at once', async () => {
    lab.namespaces('one', 'two').cable('one', 'eth0', 'two', 'eth0').cable('one', 'eth1', 'two', 'eth1');
    lab.address('one', 'eth0', '10.9.0.1/24').address('one', 'eth1', '10.9.1.1/24');
    const file = join(folder, 'any.pcapng');
    const command = ['netns', 'exec', lab.name('one'), process.execPath, program];
    const child = spawn('ip', [...command, 'live', 'any', '-w', file, '--duration', '4']);
    await sleep(1800);
    lab.send('one', '10.9.0.2');
    lab.send('one', '10.9.1.2');
    await new Promise((resolve) => child.on('close', resolve));
    const names = execFileSync('tshark', ['-r', file, '-T', 'fields', '-e', 'frame.interface_name'], {
      encoding: 'utf8',
    });
    expect([...new Set(names.trim().split('\n'))]).toEqual(expect.arrayContaining(['eth0', 'eth1']));
    expect(readFileSync(file).length).toBeGreaterThan(100);
  });
});

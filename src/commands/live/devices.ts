import { readdirSync, readFileSync } from 'node:fs';
import { NamespaceError } from '../../capture/live/namespace.js';
import { Ring, RingError } from '../../capture/live/ring.js';
import { nearest } from '../../rules/engine/nearest.js';
import { UserError } from '../errors.js';

interface DeviceOptions {
  netns: string | null;
  promiscuous: boolean;
  snapLength: number;
  /** Bytes of each device's ring. */
  size: number;
  /** Gives the filter for a device, as SO_ATTACH_FILTER wants it; null for none. */
  filterFor(device: string | null): unknown;
}

/** The name that stands for all devices of a namespace. */
export const ANY = 'any';

/**
 * Opens a ring for each device.
 * @throws UserError that says what is missing and how to get it; nothing stays open then
 */
export function openRings(devices: readonly string[], options: DeviceOptions): Ring[] {
  const rings: Ring[] = [];
  try {
    // `any` has all of them: each frame once.
    for (const name of devices.includes(ANY) ? [ANY] : new Set(devices)) rings.push(openRing(name, options));
    return rings;
  } catch (error) {
    for (const ring of rings) ring.close();
    throw error;
  }
}

function openRing(name: string, { filterFor, ...options }: DeviceOptions): Ring {
  const device = name === ANY ? null : name;
  try {
    // Without a permission or a device the compiler of filters would fail first, and blame the filter.
    new Ring({ ...options, size: 0, device, filter: null }).close();
    return new Ring({ ...options, device, filter: filterFor(device) });
  } catch (error) {
    throw explained(name, options.netns, error);
  }
}

/** What keeps a device from being captured on, as an error to tell; anything else as it is. */
export function explained(name: string, netns: string | null, error: unknown): unknown {
  if (error instanceof NamespaceError) {
    const isForbidden = error.code === 'EPERM' || error.code === 'EACCES';
    const message =
      error.code === 'ENOENT' ? 'no such network namespace' : `not to be entered as a namespace (${error.code})`;
    const advice = isForbidden ? 'run with sudo: it needs CAP_SYS_ADMIN' : 'netdiag interfaces lists them';
    return new UserError(`--netns ${error.netns}`, message, advice);
  }
  if (!(error instanceof RingError)) return error;
  switch (error.code) {
    case 'EPERM':
    case 'EACCES':
      return new UserError(
        name,
        'no permission to capture',
        'needs CAP_NET_RAW; run with sudo, or: setcap cap_net_raw+ep <copy of the node binary>, or in a container: --cap-add NET_RAW',
      );
    case 'ENODEV':
      return new UserError(name, 'no such interface', advice(name, netns));
    case 'ENOMEM':
      return new UserError(name, 'no memory for the ring', 'give a smaller --buffer');
    default:
      return new UserError(name, `cannot be captured on: ${error.call} failed (${error.code})`, 'see dmesg');
  }
}

function advice(name: string, netns: string | null): string {
  if (netns !== null) return 'netdiag interfaces lists them';
  const there = deviceNames();
  const near = nearest(name, there);
  return `${near === null ? '' : `did you mean ${near}? `}there are ${[...there, ANY].join(', ')}`;
}

/** Devices of the own namespace. */
function deviceNames(): string[] {
  try {
    return readdirSync('/sys/class/net').sort();
  } catch {
    return [];
  }
}

/** Names devices of the own namespace by index; read again when an unknown one appears. */
export function deviceNamer(): (index: number) => string | null {
  const names = new Map<number, string>();
  return (index) => {
    if (!names.has(index))
      for (const name of deviceNames()) {
        try {
          names.set(Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'utf8')), name);
        } catch {
          // It was deleted in between.
        }
      }
    return names.get(index) ?? null;
  };
}

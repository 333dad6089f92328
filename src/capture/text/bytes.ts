/** Bytes of packets that text tells of, put together again. All numbers big-endian. */

export function u16(value: number): number[] {
  return [(value >> 8) & 255, value & 255];
}

export function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

export function macBytes(text: string): number[] {
  return text.split(':').map((byte) => Number.parseInt(byte, 16));
}

export function ipv4Bytes(text: string): number[] {
  return text.split('.').map(Number);
}

/** An IPv6 address in any of its forms, without a zone; null if it is none. */
export function ipv6Bytes(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2 || !/^[0-9a-f:.]+$/i.test(text)) return null;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':').flatMap(fieldBytes)));
  const missing = 16 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 0) return null;
  const bytes = [...head, ...new Array(Math.max(0, missing)).fill(0), ...(tail ?? [])];
  return bytes.every((byte) => byte >= 0 && byte < 256) ? bytes : null;
}

function fieldBytes(field: string): number[] {
  return field.includes('.') ? ipv4Bytes(field) : u16(Number.parseInt(field, 16));
}

/** RFC 1071. */
function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function ipv4Packet(
  source: number[],
  destination: number[],
  protocol: number,
  payload: number[],
  ttl = 64,
): number[] {
  const length = u16(20 + payload.length);
  const header = [0x45, 0, ...length, 0, 0, 0x40, 0, ttl, protocol, 0, 0, ...source, ...destination];
  header.splice(10, 2, ...u16(checksum(header)));
  return [...header, ...payload];
}

export function ipv6Packet(
  source: number[],
  destination: number[],
  next: number,
  payload: number[],
  hops: number,
): number[] {
  return [0x60, 0, 0, 0, ...u16(payload.length), next, hops, ...source, ...destination, ...payload];
}

/** A transport message with its checksum at `at`, over the pseudo-header too if the addresses are given. */
export function summed(message: number[], at: number, protocol: number, addresses: readonly number[] = []): number[] {
  const pseudo = addresses.length === 0 ? [] : [...addresses, ...u32(message.length), 0, 0, 0, protocol];
  const sum = checksum([...pseudo, ...message]);
  return [...message.slice(0, at), ...u16(sum === 0 && protocol === 17 ? 0xffff : sum), ...message.slice(at + 2)];
}

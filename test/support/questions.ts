import { HOST, type Host, PEER, packet } from './icmp.js';
import { ipv4 } from './tunnel.js';
import { Capture, u16 } from './wire.js';

/** A name server behind the machine PEER, by its default route. */
export const SERVER = { mac: PEER.mac, ip: '203.0.113.53' };
const datagram = (capture: Capture, from: Host, to: Host, sport: number, dport: number) =>
  packet(capture, from, to, ipv4(from.ip, to.ip, 17, [...u16(sport), ...u16(dport), 0, 12, 0, 0, 1, 2, 3, 4]));
/** DNS questions at these times, for both families at once, and an answer at another time. */
export const asks = (times: readonly number[], { to = SERVER, port = 53, answer = 0, end = 30 } = {}) => {
  const capture = new Capture();
  const say = (at: number) => {
    for (const sport of [5000, 5001]) datagram(capture.at(at), HOST, to, sport, port);
  };
  for (const at of times.filter((each) => answer === 0 || each < answer)) say(at);
  if (answer > 0) datagram(capture.at(answer), to, HOST, port, 5000);
  for (const at of times.filter((each) => answer > 0 && each > answer)) say(at);
  return capture.at(end).ask(HOST.mac, HOST.ip, '10.0.0.99');
};

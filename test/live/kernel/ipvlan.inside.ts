import { all, cures, ping } from '../cures/harness.js';
import { ipvlans, outside } from './networks.js';

const sibling = ping('ns01', '10.9.0.102');

cures('of ipvlan', {
  'VEPA without reflection: bridge mode': {
    rule: 'ipvlan/vepa-no-reflection',
    build: (lab) => void ipvlans(lab, 'l2', 'vepa'),
    at: ['host', 'ens34'],
    works: sibling,
  },
  'VEPA without reflection: the switch reflects': {
    rule: 'ipvlan/vepa-no-reflection',
    build: (lab) => void ipvlans(lab, 'l2', 'vepa'),
    at: ['host', 'ens34'],
    works: sibling,
    remedy: /^Or reflective relay/,
    where: 'sw',
    fill: { '<switch port>': 'p-host' },
  },
  'private siblings': {
    rule: 'ipvlan/sibling-unanswered',
    build: (lab) => void ipvlans(lab, 'l2', 'private'),
    at: ['host', 'ens34'],
    works: sibling,
  },
  'private siblings, seen at a child': {
    rule: 'ipvlan/sibling-unanswered',
    build: (lab) => void ipvlans(lab, 'l2', 'private'),
    at: ['ns01', 'ipvlan1'],
    works: sibling,
  },
  'a sibling that is down': {
    rule: 'ipvlan/sibling-unanswered',
    build: (lab) => void ipvlans(lab, 'l2').ip('ns02', 'link set ipvlan2 down'),
    at: ['host', 'ens34'],
    works: sibling,
  },
  'a host and its child': {
    rule: 'ipvlan/host-isolation',
    build: (lab) => void ipvlans(lab, 'l2'),
    at: ['host', 'ens34'],
    works: ping('host', '10.9.0.101'),
    fill: { '<free address>': '10.9.0.250' },
  },
  'a child and its host': {
    rule: 'ipvlan/host-isolation',
    build: (lab) => void ipvlans(lab, 'l2'),
    at: ['ns01', 'ipvlan1'],
    works: all(ping('ns01', '10.9.0.1'), ping('host', '10.9.0.101')),
    fill: { '<free address>': '10.9.0.250' },
  },
  'a child in mode l3, taken for a neighbour: a route': {
    rule: 'ipvlan/l3-unreachable',
    build: (lab) => void outside(ipvlans(lab, 'l3')),
    at: ['sw', 'br0'],
    works: ping('sw', '10.9.0.101'),
  },
  'a child in mode l3, taken for a neighbour: the host answers': {
    rule: 'ipvlan/l3-unreachable',
    build: (lab) => void outside(ipvlans(lab, 'l3s')),
    at: ['host', 'ens34'],
    works: ping('sw', '10.9.0.101'),
    remedy: /^Or let its host answer/,
  },
  'a child in mode l3, taken for a neighbour: mode l2': {
    rule: 'ipvlan/l3-unreachable',
    build: (lab) => void outside(ipvlans(lab, 'l3')),
    at: ['host', 'ens34'],
    works: ping('sw', '10.9.0.101'),
    remedy: /^Or mode l2/,
    where: 'ns01',
    fill: { '<child>': 'ipvlan1' },
  },
  'mode l3 in VEPA mode': {
    rule: 'ipvlan/l3-vepa-on-link',
    build: (lab) => void ipvlans(lab, 'l3', 'vepa'),
    at: ['host', 'ens34'],
    works: sibling,
  },
});

import { cures, ping } from './harness.js';

cures('on layer 2', {
  'VEPA without reflection: bridge mode': {
    rule: 'macvlan/vepa-no-reflection',
    build: (lab) => void lab.macvlans('vepa', 'off'),
    at: ['host', 'ens34'],
    works: ping('ns01', '10.9.0.102'),
  },
  'VEPA without reflection: the switch reflects': {
    rule: 'macvlan/vepa-no-reflection',
    build: (lab) => void lab.macvlans('vepa', 'off'),
    at: ['host', 'ens34'],
    works: ping('ns01', '10.9.0.102'),
    remedy: /as switch/,
  },
});

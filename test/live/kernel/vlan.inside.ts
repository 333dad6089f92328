import { cures, ping } from '../cures/harness.js';
import { carries, trunks, vlan } from './networks.js';

cures('of VLANs', {
  'an access port that takes frames into another VLAN': {
    rule: 'vlan/tag-mismatch',
    build(lab) {
      trunks(lab, 'a', 'b').address('a', 'eth0', '10.9.0.1/24').address('b', 'eth0', '10.9.0.2/24');
      carries(lab, 'p-a', '100 pvid untagged');
      carries(lab, 'p-b', '200 pvid', '100 untagged');
    },
    at: ['sw', 'br0'],
    works: ping('a', '10.9.0.2'),
  },
  'a trunk that does not carry the VLAN': {
    rule: 'vlan/tag-mismatch',
    build(lab) {
      trunks(lab, 'a', 'b');
      for (const [i, name] of ['a', 'b'].entries()) vlan(lab, name, 100, `10.9.0.${i + 1}/24`);
      carries(lab, 'p-a', '100');
      carries(lab, 'p-b', '200');
    },
    at: ['a', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
  'an id that only one end uses': {
    rule: 'vlan/tag-mismatch',
    build(lab) {
      lab.namespaces('a', 'b').cable('a', 'eth0', 'b', 'eth0');
      vlan(lab, 'a', 100, '10.9.0.1/24');
      vlan(lab, 'b', 200, '10.9.0.2/24');
    },
    at: ['b', 'eth0'],
    works: ping('a', '10.9.0.2'),
    byHand: (lab) => {
      lab.ip('b', 'addr flush dev eth0.200').address('b', 'eth0.100', '10.9.0.2/24');
    },
  },
  'a provider tag of the wrong protocol': {
    rule: 'vlan/tpid-mismatch',
    build(lab) {
      lab.namespaces('a', 'b').cable('a', 'eth0', 'b', 'eth0');
      for (const name of ['a', 'b']) lab.ip(name, 'link set eth0 mtu 1504');
      vlan(lab, 'a', 1000, undefined, 'eth0', '802.1ad');
      vlan(lab, 'b', 1000, undefined, 'eth0', '802.1q');
      for (const [i, name] of ['a', 'b'].entries()) vlan(lab, name, 10, `10.9.0.${i + 1}/24`, 'eth0.1000');
    },
    at: ['b', 'eth0'],
    works: ping('a', '10.9.0.2'),
    byHand: (lab) => {
      lab.ip('b', 'link set eth0.1000 up');
      vlan(lab, 'b', 10, '10.9.0.2/24', 'eth0.1000');
    },
  },
  'one tag of the wrong protocol': {
    rule: 'vlan/tpid-mismatch',
    build(lab) {
      lab.namespaces('a', 'b').cable('a', 'eth0', 'b', 'eth0');
      vlan(lab, 'a', 100, '10.9.0.1/24');
      vlan(lab, 'b', 100, '10.9.0.2/24', 'eth0', '802.1ad');
    },
    at: ['b', 'eth0'],
    works: ping('a', '10.9.0.2'),
    byHand: (lab) => void lab.address('b', 'eth0.100', '10.9.0.2/24').ip('b', 'link set eth0.100 up'),
  },
  'a native VLAN that the host tags': {
    rule: 'vlan/native-mismatch',
    build(lab) {
      trunks(lab, 'a', 'b').address('a', 'eth0', '10.9.0.1/24');
      vlan(lab, 'b', 100, '10.9.0.2/24');
      carries(lab, 'p-a', '100 pvid untagged');
      carries(lab, 'p-b', '100 pvid untagged');
    },
    at: ['b', 'eth0'],
    works: ping('a', '10.9.0.2'),
  },
});

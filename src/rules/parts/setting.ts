import { type NetworkSettings, SETTINGS } from '../../network/settings.js';
import type { Threshold } from '../rule.js';

/** A threshold that decides in the tables of the network, before the rule hears of it. Each belongs to one rule. */
export function setting(name: keyof NetworkSettings): Threshold {
  return { ...SETTINGS[name], setting: name };
}

import 'vitest';
import type { FindingsMatchers } from 'netdiag/vitest';

declare module 'vitest' {
  interface Matchers extends FindingsMatchers {}
}

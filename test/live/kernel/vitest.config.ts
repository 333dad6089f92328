import { defineConfig } from 'vitest/config';
import { root } from '../../support/fixtures.js';

/** Tests that run in a kernel of their own (kernel.test.ts): by one process, since it has one processor, and a few at once, since they wait. */
export default defineConfig({
  test: {
    root,
    include: ['test/live/kernel/**/*.inside.ts'],
    isolate: false,
    maxWorkers: 1,
    maxConcurrency: 3,
    testTimeout: 180_000,
    retry: 1,
  },
});

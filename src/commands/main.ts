import { runInProcess } from './process.js';

// Not awaited at the top: bundled parts that are loaded later may import this module.
runInProcess(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});

/** Exit statuses of the child process that captures with `cap`: the package is missing. */
export const NO_CAP = 3;
/** It could not open the device; the reason is on standard error. */
export const NOT_OPENED = 4;

/** A column with room for `capacity` rows and the values of `column`. */
export function longer(column: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(capacity);
  result.set(column);
  return result;
}

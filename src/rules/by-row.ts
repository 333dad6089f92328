/** Objects by row of a table, as in a Map; to look one up, for each packet, is two reads. */
export class ByRow<T> {
  /** Place in `values` and 1, by row; 0 for rows without. */
  private places = new Int32Array(64);
  readonly values: T[] = [];

  /** The object of a row, undefined if it has none or there is no such row (-1). */
  get(row: number): T | undefined {
    const place = row >= 0 && row < this.places.length ? this.places[row] : 0;
    return place === 0 ? undefined : this.values[place - 1];
  }

  /** Keeps the object of a row that has none. */
  add(row: number, value: T): void {
    if (row >= this.places.length) {
      const places = new Int32Array(1 << (32 - Math.clz32(row)));
      places.set(this.places);
      this.places = places;
    }
    this.places[row] = this.values.push(value);
  }
}

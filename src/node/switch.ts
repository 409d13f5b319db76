/** The one switch: with `TSGUN_NO_INTERNALS=1`, tsgun goes the documented ways only. The tests run both ways. */

export const internalsAreOff = Boolean(process.env.TSGUN_NO_INTERNALS);

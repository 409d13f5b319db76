/** The one switch: `TSGUN_NO_INTERNALS=1` turns off each undocumented use of Node that has another way: see README.md. */

export const internalsAreOff = Boolean(process.env.TSGUN_NO_INTERNALS);

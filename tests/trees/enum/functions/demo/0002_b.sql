-- depends: 0001_a
ALTER TYPE mood ADD VALUE 'ok';

// What a bare process does whose start is compared with a process worker's: it says that it is there.
console.log("here");

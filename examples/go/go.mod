module example.com/fpga-associate

go 1.19

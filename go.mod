module wardwatch

go 1.26
